import type { EventEnvelope } from '@watchpost/shared/contracts/envelope'
import type { CommittedRecord } from '../ingest/committed-record.js'
import type { EventFact } from './engine/incident-record.js'
import type { StoredEvent } from './incident-store.js'
import type { Places } from './places.js'

type EventRecord = CommittedRecord & { readonly envelope: EventEnvelope }

export const isEventRecord = (record: CommittedRecord): record is EventRecord => record.envelope.type === 'event.v1'

/** A log from before times were checked may hold some that are none, such as a leap second. */
export const hasTimes = ({ envelope: { data } }: EventRecord): boolean =>
  [data.phenomenonTime, ...data.evidence.map(item => item.takenAt)].every(time => !Number.isNaN(Date.parse(time)))

export const storedEventOf = ({
  position,
  siteId,
  agentId,
  cameraId,
  receivedAt,
  envelope,
}: EventRecord): StoredEvent => ({
  eventId: envelope.id,
  position,
  siteId,
  agentId,
  cameraId,
  happeningKey: `${siteId}/${envelope.data.happeningId}`,
  receivedAt,
  phenomenonAt: Date.parse(envelope.data.phenomenonTime),
  event: envelope.data,
})

export const factOf = (stored: StoredEvent, places: Places): EventFact => {
  const { event, siteId, cameraId } = stored
  const { location, wardId, hotspotId } = places(siteId, cameraId)
  return {
    eventId: stored.eventId,
    happeningKey: stored.happeningKey,
    kind: event.kind,
    phase: event.phase,
    severity: event.severity,
    siteId,
    cameraId,
    location,
    wardId,
    hotspotId,
    phenomenonAt: stored.phenomenonAt,
    receivedAt: stored.receivedAt,
    bearingDeg: event.bearingDeg ?? null,
    level: event.level ?? null,
    measure: event.measure ?? null,
    pictures: event.evidence
      .filter(item => item.mediaType === 'image/jpeg')
      .map(item => ({ sha256: item.sha256, takenAt: Date.parse(item.takenAt), role: item.role })),
  }
}
