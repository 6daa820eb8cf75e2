import type { EventKind } from '@watchpost/shared/contracts/event'
import type { LonLat, Severity } from '@watchpost/shared/contracts/primitives'
import { applyEvents } from '../../../central/incidents/engine/apply-events.js'
import type { EngineChanges, EventFact, IncidentRecord } from '../../../central/incidents/engine/incident-record.js'

export const rules = { mergeRadiusM: 150, sightRangeM: 15_000, mergeWindowSeconds: 900 }
export const minute = 60_000
export const startAt = Date.UTC(2026, 9, 27, 3)

const cameras: Readonly<Record<string, { location: LonLat; hotspotId: string | null; wardId: string }>> = {
  'le-loi-1': { location: [107.585, 16.462], hotspotId: 'le-loi', wardId: 'thuan-hoa' },
  // About 100 m from le-loi-1.
  'le-loi-2': { location: [107.5859, 16.4622], hotspotId: null, wardId: 'thuan-hoa' },
  // 3 km apart, on two hills.
  'hill-a': { location: [107.5, 16.4], hotspotId: null, wardId: 'long-quang' },
  'hill-b': { location: [107.528, 16.4], hotspotId: null, wardId: 'long-quang' },
  'an-cuu-1': { location: [107.6, 16.45], hotspotId: 'an-cuu', wardId: 'an-cuu' },
}
export const cameraIds = Object.keys(cameras)

let counter = 0
export interface FactOptions {
  readonly id?: string
  readonly happening?: string
  readonly kind?: EventKind
  readonly phase?: EventFact['phase']
  readonly severity?: Severity
  readonly camera?: string
  /** Minutes of event time after `startAt`. */
  readonly atMin?: number
  readonly level?: string
  readonly bearingDeg?: number
}

export const fact = (options: FactOptions = {}): EventFact => {
  const { kind = 'flood-level', camera = 'le-loi-1', atMin = 0 } = options
  const eventId = options.id ?? `event-${String(++counter).padStart(6, '0')}`
  const at = startAt + atMin * minute
  return {
    eventId,
    happeningKey: `an-cuu/${options.happening ?? `${camera}/${kind}/1`}`,
    kind,
    phase: options.phase ?? 'began',
    severity: options.severity ?? 'minor',
    siteId: 'an-cuu',
    cameraId: camera,
    ...cameras[camera]!,
    phenomenonAt: at,
    receivedAt: at + 500,
    bearingDeg: options.bearingDeg ?? null,
    level: options.level ?? null,
    measure: null,
    pictures: [],
  }
}

/** Incidents and events as a store would hold them, in memory. */
export const createWorld = () => {
  const incidents = new Map<string, IncidentRecord>()
  const placements = new Map<string, string | null>()
  const put = (changes: EngineChanges): EngineChanges => {
    for (const record of changes.incidents) incidents.set(record.id, { ...record, version: record.version + 1 })
    for (const { eventId, incidentId } of changes.placements) placements.set(eventId, incidentId)
    for (const { from, into } of changes.merges) {
      for (const [eventId, incidentId] of placements) if (incidentId === from) placements.set(eventId, into)
    }
    return changes
  }
  return {
    put,
    apply: (...facts: EventFact[]): EngineChanges =>
      put(applyEvents(facts, { incidents: [...incidents.values()], knownEventIds: new Set(placements.keys()) }, rules)),
    /** Incidents that hold events, oldest first. */
    incidents: (): IncidentRecord[] =>
      [...incidents.values()]
        .filter(record => record.duplicateOf === null)
        .sort((a, b) => a.openedAt - b.openedAt || (a.happenings[0]!.key < b.happenings[0]!.key ? -1 : 1)),
    get: (id: string): IncidentRecord => incidents.get(id)!,
    placements,
  }
}
