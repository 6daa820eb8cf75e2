import type {
  Incident,
  IncidentEvent,
  IncidentSummary,
  Me,
  Transition,
  Verdict,
  VerdictBody,
} from '@watchpost/shared/api/incidents'
import type { EventKind } from '@watchpost/shared/contracts/event'
import type { CommittedRecord, LogConsumer } from '../ingest/committed-record.js'
import type { Registry } from '../registry/registry.js'
import { applyEvents } from './engine/apply-events.js'
import { addNote, type CommandResult, judge, transition } from './engine/commands.js'
import { type CorrelationRules, mergesHappenings } from './engine/correlation.js'
import type { EventFact, IncidentRecord } from './engine/incident-record.js'
import { pictureLabels } from './engine/verdict-boxes.js'
import { factOf, hasTimes, isEventRecord, storedEventOf } from './facts.js'
import type {
  Commit,
  EventFilter,
  IncidentFilter,
  IncidentStore,
  NumberedIncident,
  PageKey,
  PageRequest,
  PlacedEvent,
  RequestKey,
  SituationQuery,
  StoredEvent,
} from './incident-store.js'
import { createPlaces } from './places.js'
import type { StoredVerdict } from './verdict-store.js'
import { eventOf, incidentOf, summaryOf, verdictOf } from './views.js'

export interface IncidentsOptions extends CorrelationRules {
  readonly store: IncidentStore
  readonly registry: Pick<Registry, 'camera' | 'wardAt'>
  /** Which of these pictures and clips have arrived. */
  readonly evidence: { readonly stored: (sha256s: readonly string[]) => Promise<ReadonlySet<string>> }
  /** Unix milliseconds. */
  readonly clock: () => number
  readonly log: { readonly warn: (fields: object, sentence: string) => void }
  /** An event whose times are none was left out; the record stays in the log of messages. */
  readonly onPutAside?: (record: CommittedRecord) => void
}

export interface Page<T> {
  readonly items: readonly T[]
  /** Where to go on; null on the last page. */
  readonly next: PageKey | null
}

export interface CommandOptions {
  /** Refuse as 'stale' when the incident has moved on; undefined: apply to whatever it is now. */
  readonly expectedVersion?: number
  /** A repeated request answers as the first did and changes nothing. */
  readonly request?: RequestKey
}

export type Outcome =
  | { readonly ok: true; readonly incident: Incident }
  | { readonly ok: false; readonly reason: 'not-found' | 'stale' | 'key-reused' }
  | {
      readonly ok: false
      readonly reason: 'refused'
      readonly path: string
      readonly message: string
      readonly hint: string
    }

export interface Incidents {
  /** Feeds committed records in; idempotent on envelope id. Rejects when the store cannot be written, nothing is lost then. */
  readonly apply: LogConsumer
  list(filter: IncidentFilter, page: PageRequest, viewer: Me): Promise<Page<IncidentSummary>>
  /** Undefined: no such incident, or not in this officer's ward. */
  get(incidentId: string, viewer: Me): Promise<Incident | undefined>
  events(filter: EventFilter, page: PageRequest, viewer: Me): Promise<Page<IncidentEvent>>
  event(eventId: string, viewer: Me): Promise<IncidentEvent | undefined>
  transition(incidentId: string, command: Transition, by: Me, options?: CommandOptions): Promise<Outcome>
  note(incidentId: string, note: string, by: Me, options?: CommandOptions): Promise<Outcome>
  verdict(eventId: string, verdict: VerdictBody, by: Me, options?: CommandOptions): Promise<Outcome>
  /** Every verdict on an event, oldest first; undefined: no such event, or not in this officer's ward. */
  verdicts(eventId: string, viewer: Me): Promise<readonly Verdict[] | undefined>
  /** Whether an incident this person may see names the picture or clip. */
  namesEvidence(sha256: string, viewer: Me): Promise<boolean>
  /** A picture or clip has arrived: incidents that name it are announced again. */
  evidenceArrived(sha256: string): Promise<void>
  /** After each committed change, with the incident as it is now. One listener. */
  onChange(listener: (summary: IncidentSummary) => void): void
}

/** Events per commit: the store's transaction stays short while a day's backlog comes in. */
const chunkSize = 200
/** Two people at one incident, or a replica: the loser reads again. More often than this is a defect. */
const maxAttempts = 5
const eventsShown = 500

export const createIncidents = ({
  store,
  registry,
  evidence,
  clock,
  log,
  onPutAside = () => {},
  ...rules
}: IncidentsOptions): Incidents => {
  const places = createPlaces(registry)
  let listener: (summary: IncidentSummary) => void = () => {}

  const announce = async (incidentIds: readonly string[]): Promise<void> => {
    for (const id of new Set(incidentIds)) {
      const record = await store.get(id)
      if (record) listener((await summaries([record]))[0]!)
    }
  }

  const summaries = async (records: readonly NumberedIncident[]): Promise<IncidentSummary[]> => {
    const stored = await evidence.stored(records.flatMap(record => record.pictures.map(({ sha256 }) => sha256)))
    return records.map(record => summaryOf(record, places, stored))
  }

  const eventViews = async (events: Awaited<ReturnType<IncidentStore['events']>>): Promise<IncidentEvent[]> => {
    const stored = await evidence.stored(events.flatMap(({ event }) => event.evidence.map(({ sha256 }) => sha256)))
    return events.map(event => eventOf(event, stored))
  }

  const detail = async (record: NumberedIncident, viewer: Me): Promise<Incident> => {
    const [events, timeline, stored] = await Promise.all([
      store.events({ incidentId: record.id }, { limit: eventsShown }).then(eventViews),
      store.timeline(record.id),
      evidence.stored(record.pictures.map(({ sha256 }) => sha256)),
    ])
    return incidentOf(record, events, timeline, { places, stored, role: viewer.role })
  }

  const visible = async (incidentId: string, viewer: Me): Promise<NumberedIncident | undefined> => {
    const record = await store.get(incidentId)
    return record && isVisible(record, viewer) ? record : undefined
  }

  const visibleEvent = async (eventId: string, viewer: Me): Promise<PlacedEvent | undefined> => {
    const event = await store.event(eventId)
    if (!event || viewer.role !== 'wardOfficer') return event
    return event.incidentId && (await visible(event.incidentId, viewer)) ? event : undefined
  }

  const applyChunk = async (events: readonly StoredEvent[]): Promise<void> => {
    const facts = events.map(event => factOf(event, places))
    for (let attempt = 1; attempt <= maxAttempts; attempt++) {
      const situation = await store.situation(await surroundings(facts))
      const changes = applyEvents(facts, situation, rules)
      if ((await store.commit({ changes, events })) === 'committed') {
        await announce(changes.incidents.map(record => record.id))
        return
      }
      log.warn(
        { attempt, events: events.length },
        'Incidents changed while events were being placed; placing them again',
      )
    }
    throw new Error(
      `Cannot place ${events.length} events in incidents: the store reported a conflict ${maxAttempts} times. Another process writes to the same store; run one central per database.`,
    )
  }

  /** Holders first: an event may stretch a happening over a span in which others lie. */
  const surroundings = async (facts: readonly EventFact[]): Promise<SituationQuery> => {
    const query = {
      eventIds: facts.map(fact => fact.eventId),
      happeningKeys: [...new Set(facts.map(fact => fact.happeningKey))],
    }
    const holders = await store.situation({ ...query, spans: [] })
    return { ...query, spans: spansOf(facts, holders.incidents, rules.mergeWindowSeconds * 1000) }
  }

  const command = async (
    incidentId: string,
    by: Me,
    { expectedVersion, request }: CommandOptions,
    decide: (record: IncidentRecord, at: number) => CommandResult,
    extra: (at: number) => Partial<Commit> | Promise<Partial<Commit>> = () => ({}),
  ): Promise<Outcome> => {
    for (let attempt = 1; attempt <= maxAttempts; attempt++) {
      const record = await visible(incidentId, by)
      if (!record) return { ok: false, reason: 'not-found' }
      const usedFor = request && (await store.requestFingerprint(request.key))
      if (usedFor !== undefined) {
        if (usedFor !== request!.fingerprint) return { ok: false, reason: 'key-reused' }
        return { ok: true, incident: await detail(record, by) }
      }
      if (expectedVersion !== undefined && expectedVersion !== record.version) return { ok: false, reason: 'stale' }
      const at = clock()
      const result = decide(record, at)
      if (!result.ok) return { ...result, reason: 'refused' }
      const commit = {
        changes: result.changes,
        events: [],
        ...(await extra(at)),
        ...(request && { request: { ...request, at } }),
      }
      if ((await store.commit(commit)) === 'committed') {
        await announce([incidentId])
        return { ok: true, incident: await detail((await store.get(incidentId))!, by) }
      }
    }
    return { ok: false, reason: 'stale' }
  }

  return {
    apply: async (records: readonly CommittedRecord[]) => {
      const given = records.filter(isEventRecord)
      for (const record of given) if (!hasTimes(record)) onPutAside(record)
      const events = given.filter(hasTimes).map(storedEventOf)
      for (let start = 0; start < events.length; start += chunkSize) {
        await applyChunk(events.slice(start, start + chunkSize))
      }
    },
    list: async (filter, page, viewer) => {
      const found = await store.list({ ...filter, ...scopeOf(viewer) }, { ...page, limit: page.limit + 1 })
      const items = found.slice(0, page.limit)
      const last = found.length > page.limit ? items.at(-1) : undefined
      return { items: await summaries(items), next: last ? { at: last.openedAt, id: last.id } : null }
    },
    get: async (incidentId, viewer) => {
      const record = await visible(incidentId, viewer)
      return record && detail(record, viewer)
    },
    events: async (filter, page, viewer) => {
      const found = await store.events({ ...filter, ...scopeOf(viewer) }, { ...page, limit: page.limit + 1 })
      const items = found.slice(0, page.limit)
      const last = found.length > page.limit ? items.at(-1) : undefined
      return { items: await eventViews(items), next: last ? { at: last.phenomenonAt, id: last.eventId } : null }
    },
    event: async (eventId, viewer) => {
      const event = await visibleEvent(eventId, viewer)
      return event && (await eventViews([event]))[0]
    },
    transition: (incidentId, body, by, options = {}) =>
      command(incidentId, by, options, (record, at) => transition(record, body, by, at)),
    note: (incidentId, note, by, options = {}) =>
      command(incidentId, by, options, (record, at) => addNote(record, note, by, at)),
    verdict: async (eventId, body, by, options = {}) => {
      const event = await store.event(eventId)
      if (!event?.incidentId) return { ok: false, reason: 'not-found' }
      const labels = pictureLabels(event.event, body)
      if (!labels.ok) return { ...labels, reason: 'refused' }
      const { pictureSha256, boxes = null } = labels
      const verdict = { eventId, value: body.value, note: body.note ?? null }
      // Read behind the incident's version: boxes that come in meanwhile are a conflict, and then read, too.
      const drawn = async () =>
        boxes ? { pictureSha256, boxes } : correctionOf(await store.verdicts.history(eventId), body.value)
      return command(
        event.incidentId,
        by,
        options,
        (record, at) => judge(record, { ...verdict, happeningKey: event.happeningKey }, by, at),
        async at => ({ verdict: { ...verdict, pictureSha256, boxes, ...(await drawn()), by: by.name, at } }),
      )
    },
    verdicts: async (eventId, viewer) =>
      (await visibleEvent(eventId, viewer)) && (await store.verdicts.history(eventId)).map(verdictOf),
    namesEvidence: async (sha256, viewer) =>
      (await store.list({ evidenceSha256: sha256, ...scopeOf(viewer) }, { limit: 1 })).length > 0,
    evidenceArrived: async sha256 => {
      const naming = await store.list({ evidenceSha256: sha256 }, { limit: 20 })
      await announce(naming.map(record => record.id))
    },
    onChange: added => {
      listener = added
    },
  }
}

/** Boxes once drawn with a verdict hold whenever the same is judged again without any, until somebody draws others. */
const correctionOf = (
  history: readonly StoredVerdict[],
  value: StoredVerdict['value'],
): Pick<StoredVerdict, 'pictureSha256' | 'boxes'> | undefined => {
  const corrected = history.filter(verdict => verdict.value === value && verdict.boxes !== null).at(-1)
  return corrected && { pictureSha256: corrected.pictureSha256, boxes: corrected.boxes }
}

/** A ward officer sees their ward only; one without a ward sees nothing. */
const scopeOf = (viewer: Me): { wardId?: string } =>
  viewer.role === 'wardOfficer' ? { wardId: viewer.wardId ?? '' } : {}

const isVisible = (record: IncidentRecord, viewer: Me): boolean =>
  viewer.role !== 'wardOfficer' || (record.wardId !== null && record.wardId === viewer.wardId)

const spansOf = (
  facts: readonly EventFact[],
  holders: readonly IncidentRecord[],
  windowMs: number,
): SituationQuery['spans'] => {
  const spans = new Map<EventKind, { fromMs: number; toMs: number }>()
  const widen = (kind: EventKind, fromMs: number, toMs: number): void => {
    if (!mergesHappenings(kind)) return
    const span = spans.get(kind)
    spans.set(kind, {
      fromMs: Math.min(span?.fromMs ?? fromMs, fromMs),
      toMs: Math.max(span?.toMs ?? toMs, toMs),
    })
  }
  for (const fact of facts) widen(fact.kind, fact.phenomenonAt - windowMs, fact.phenomenonAt + windowMs)
  const keys = new Set(facts.map(fact => fact.happeningKey))
  for (const { kind, happenings } of holders) {
    for (const { key, firstAt, lastAt } of happenings) {
      if (keys.has(key)) widen(kind, firstAt - windowMs, lastAt + windowMs)
    }
  }
  return [...spans].map(([kind, span]) => ({ kind, ...span }))
}
