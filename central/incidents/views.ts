import type {
  Incident,
  IncidentEvent,
  IncidentSummary,
  Role,
  TimelineEntry,
  Verdict,
} from '@watchpost/shared/api/incidents'
import { nextStates } from './engine/commands.js'
import type { ChainedEntry, NumberedIncident, PlacedEvent } from './incident-store.js'
import type { Places } from './places.js'
import type { StoredVerdict } from './verdict-store.js'

const utc = (ms: number): string => new Date(ms).toISOString()

/** `stored`: hashes of pictures whose bytes have arrived; only such a picture is a thumbnail. */
export const summaryOf = (record: NumberedIncident, places: Places, stored: ReadonlySet<string>): IncidentSummary => ({
  id: record.id,
  number: record.number,
  kind: record.kind,
  state: record.state,
  severity: record.severity,
  openedAt: utc(record.openedAt),
  updatedAt: utc(record.updatedAt),
  endedAt: record.endedAt === null ? null : utc(record.endedAt),
  siteId: record.siteId,
  cameraId: record.cameraId,
  cameraName: places(record.siteId, record.cameraId).name,
  location: record.location,
  wardId: record.wardId,
  hotspotId: record.hotspotId,
  level: record.level.value,
  measure: record.measure?.value ?? null,
  eventCount: record.eventCount,
  thumbnailSha256: record.pictures.find(picture => stored.has(picture.sha256))?.sha256 ?? null,
  assignee: record.assignee,
  resolutionProposed: record.resolutionProposed,
  version: record.version,
})

export const incidentOf = (
  record: NumberedIncident,
  events: readonly IncidentEvent[],
  timeline: readonly ChainedEntry[],
  view: { readonly places: Places; readonly stored: ReadonlySet<string>; readonly role: Role },
): Incident => ({
  ...summaryOf(record, view.places, view.stored),
  duplicateOf: record.duplicateOf,
  events: [...events],
  timeline: timeline.map(entryOf),
  allowedStates: [...nextStates(record, view.role)],
})

export const eventOf = (placed: PlacedEvent, stored: ReadonlySet<string>): IncidentEvent => {
  const { event } = placed
  return {
    eventId: placed.eventId,
    incidentId: placed.incidentId,
    happeningId: event.happeningId,
    kind: event.kind,
    phase: event.phase,
    severity: event.severity,
    confidence: event.confidence,
    siteId: placed.siteId,
    agentId: placed.agentId,
    cameraId: placed.cameraId,
    analytic: event.analytic,
    phenomenonTime: event.phenomenonTime,
    receivedAt: utc(placed.receivedAt),
    level: event.level ?? null,
    zone: event.zone ?? null,
    measure: event.measure ?? null,
    box: event.geometry?.box ?? null,
    label: event.geometry?.label ?? null,
    bearingDeg: event.bearingDeg ?? null,
    model: event.model ?? null,
    evidence: event.evidence.map(item => ({ ...item, stored: stored.has(item.sha256) })),
    verdict: placed.verdict && verdictOf(placed.verdict),
  }
}

export const verdictOf = (verdict: StoredVerdict): Verdict => ({
  eventId: verdict.eventId,
  value: verdict.value,
  by: verdict.by,
  at: utc(verdict.at),
  note: verdict.note,
  boxes: (verdict.boxes ?? []).map(({ label, box }) => ({ label, box: [...box] })),
  pictureSha256: verdict.boxes && verdict.pictureSha256,
})

const entryOf = ({ at, by, action, from, to, note, eventId, hash }: ChainedEntry): TimelineEntry => ({
  at: utc(at),
  by,
  action,
  from,
  to,
  note,
  eventId,
  hash,
})
