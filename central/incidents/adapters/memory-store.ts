import type {
  ChainedEntry,
  EventFilter,
  IncidentFilter,
  IncidentStore,
  NumberedIncident,
  PageRequest,
  PlacedEvent,
} from '../incident-store.js'
import { timelineHash } from '../timeline-hash.js'
import type { StoredVerdict } from '../verdict-store.js'
import { createMemoryVerdicts } from './memory-verdicts.js'

/** For tests and trials: the same promises as the others, except that nothing outlives the process. */
export const createMemoryIncidentStore = (): IncidentStore => {
  const incidents = new Map<string, NumberedIncident>()
  const timelines = new Map<string, ChainedEntry[]>()
  const events = new Map<string, PlacedEvent>()
  const requests = new Map<string, string>()
  const verdicts: StoredVerdict[] = []

  return {
    verdicts: createMemoryVerdicts(verdicts, events),
    situation: async query => {
      const keys = new Set(query.happeningKeys)
      const wanted = [...incidents.values()].filter(
        incident =>
          incident.happenings.some(happening => keys.has(happening.key)) ||
          query.spans.some(
            span =>
              span.kind === incident.kind &&
              incident.happenings.some(({ firstAt, lastAt }) => firstAt <= span.toMs && lastAt >= span.fromMs),
          ),
      )
      return { incidents: wanted, knownEventIds: new Set(query.eventIds.filter(id => events.has(id))) }
    },

    commit: async ({ changes, events: added, verdict, request }) => {
      const stale = changes.incidents.some(record => (incidents.get(record.id)?.version ?? 0) !== record.version)
      if (stale || (request && requests.has(request.key))) return 'conflict'
      for (const record of changes.incidents) {
        const number = incidents.get(record.id)?.number ?? incidents.size + 1
        incidents.set(record.id, { ...record, number, version: record.version + 1 })
      }
      const placed = new Map(changes.placements.map(({ eventId, incidentId }) => [eventId, incidentId]))
      for (const event of added) {
        if (events.has(event.eventId)) continue
        events.set(event.eventId, { ...event, incidentId: placed.get(event.eventId) ?? null, verdict: null })
      }
      for (const { from, into } of changes.merges) {
        for (const event of events.values()) {
          if (event.incidentId === from) events.set(event.eventId, { ...event, incidentId: into })
        }
      }
      for (const entry of changes.timeline) {
        const chain = timelines.get(entry.incidentId) ?? []
        timelines.set(entry.incidentId, [
          ...chain,
          { ...entry, hash: timelineHash(chain.at(-1)?.hash ?? entry.incidentId, entry) },
        ])
      }
      if (verdict) {
        verdicts.push(verdict)
        events.set(verdict.eventId, { ...events.get(verdict.eventId)!, verdict })
      }
      if (request) requests.set(request.key, request.fingerprint)
      return 'committed'
    },

    get: async incidentId => incidents.get(incidentId),
    timeline: async incidentId => timelines.get(incidentId) ?? [],
    list: async (filter, page) => {
      const naming = (sha256: string): Set<string | null> =>
        new Set(
          [...events.values()]
            .filter(({ event }) => event.evidence.some(item => item.sha256 === sha256))
            .map(event => event.incidentId),
        )
      const named = filter.evidenceSha256 === undefined ? undefined : naming(filter.evidenceSha256)
      return pageOf(
        [...incidents.values()].filter(incident => matches(incident, filter) && (!named || named.has(incident.id))),
        incident => ({ at: incident.openedAt, id: incident.id }),
        page,
      )
    },
    events: async (filter, page) =>
      pageOf(
        [...events.values()].filter(event => eventMatches(event, filter, incidents)),
        event => ({ at: event.phenomenonAt, id: event.eventId }),
        page,
      ),
    event: async eventId => events.get(eventId),
    requestFingerprint: async key => requests.get(key),
    close: async () => {},
  }
}

const matches = (incident: NumberedIncident, filter: IncidentFilter): boolean =>
  (!filter.states || filter.states.includes(incident.state)) &&
  (!filter.kinds || filter.kinds.includes(incident.kind)) &&
  (!filter.severities || filter.severities.includes(incident.severity)) &&
  (filter.cameraId === undefined || incident.happenings.some(({ cameraId }) => cameraId === filter.cameraId)) &&
  (filter.wardId === undefined || filter.wardId === incident.wardId) &&
  (filter.hotspotId === undefined || filter.hotspotId === incident.hotspotId) &&
  (filter.sinceMs === undefined || incident.openedAt >= filter.sinceMs) &&
  (filter.untilMs === undefined || incident.openedAt < filter.untilMs)

const eventMatches = (
  event: PlacedEvent,
  filter: EventFilter,
  incidents: ReadonlyMap<string, NumberedIncident>,
): boolean =>
  (!filter.kinds || filter.kinds.includes(event.event.kind)) &&
  (filter.cameraId === undefined || filter.cameraId === event.cameraId) &&
  (filter.incidentId === undefined || filter.incidentId === event.incidentId) &&
  (filter.wardId === undefined || incidents.get(event.incidentId ?? '')?.wardId === filter.wardId) &&
  (filter.sinceMs === undefined || event.phenomenonAt >= filter.sinceMs) &&
  (filter.untilMs === undefined || event.phenomenonAt < filter.untilMs)

const pageOf = <T>(
  items: readonly T[],
  keyOf: (item: T) => { at: number; id: string },
  { after, limit }: PageRequest,
): T[] => {
  const newestFirst = [...items].sort((a, b) => compare(keyOf(a), keyOf(b)))
  return newestFirst.filter(item => !after || compare(after, keyOf(item)) < 0).slice(0, limit)
}

const compare = (a: { at: number; id: string }, b: { at: number; id: string }): number =>
  b.at - a.at || (a.id < b.id ? 1 : a.id > b.id ? -1 : 0)
