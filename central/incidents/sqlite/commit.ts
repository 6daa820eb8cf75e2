import type { Database } from 'better-sqlite3'
import type { IncidentRecord, TimelineDraft } from '../engine/incident-record.js'
import type { Commit, StoredEvent } from '../incident-store.js'
import { timelineHash } from '../timeline-hash.js'

/** Idempotency keys are for a client's retries, which end long before this. */
const requestsKeptMs = 7 * 24 * 3_600_000

export const prepareCommit = (database: Database): ((commit: Commit) => 'committed' | 'conflict') => {
  const versionOf = database.prepare<[string], number>('SELECT version FROM incidents WHERE id = ?').pluck()
  const knownRequest = database.prepare<[string], number>('SELECT 1 FROM requests WHERE key = ?').pluck()
  const writeIncident = database.prepare(`
    INSERT INTO incidents (id, number, kind, state, severity, opened_at, ward_id, hotspot_id, version, record)
    VALUES (@id, (SELECT coalesce(max(number), 0) + 1 FROM incidents),
      @kind, @state, @severity, @openedAt, @wardId, @hotspotId, @version, @record)
    ON CONFLICT (id) DO UPDATE SET state = excluded.state, severity = excluded.severity,
      opened_at = excluded.opened_at, ward_id = excluded.ward_id, hotspot_id = excluded.hotspot_id,
      version = excluded.version, record = excluded.record`)
  const writeHappening = database.prepare(`
    INSERT INTO happenings (key, incident_id, kind, camera_id, first_at, last_at)
    VALUES (@key, @incidentId, @kind, @cameraId, @firstAt, @lastAt)
    ON CONFLICT (key) DO UPDATE SET incident_id = excluded.incident_id, first_at = excluded.first_at,
      last_at = excluded.last_at`)
  const writeEvent = database.prepare(`
    INSERT INTO events (id, incident_id, position, site_id, agent_id, camera_id, happening_key, kind, received_at,
      phenomenon_at, event)
    VALUES (@eventId, @incidentId, @position, @siteId, @agentId, @cameraId, @happeningKey, @kind, @receivedAt,
      @phenomenonAt, @event)
    ON CONFLICT (id) DO NOTHING`)
  const writeEvidence = database.prepare('INSERT OR IGNORE INTO event_evidence (sha256, event_id) VALUES (?, ?)')
  const moveEvents = database.prepare('UPDATE events SET incident_id = @into WHERE incident_id = @from')
  const lastEntry = database.prepare<[string], { position: number; hash: string }>(
    'SELECT position, hash FROM timeline WHERE incident_id = ? ORDER BY position DESC LIMIT 1',
  )
  const writeEntry = database.prepare(`
    INSERT INTO timeline (incident_id, position, at, by, action, from_value, to_value, note, event_id, hash)
    VALUES (@incidentId, @position, @at, @by, @action, @from, @to, @note, @eventId, @hash)`)
  // What is asked for by comes from the event itself.
  const writeVerdict = database.prepare(`
    INSERT INTO verdicts (event_id, value, by, at, note, picture_sha256, boxes, happening_key, camera_id, kind,
      phenomenon_at, model_id, model_version)
    SELECT id, @value, @by, @at, @note, @pictureSha256, @boxes, happening_key, camera_id, kind, phenomenon_at,
      event ->> '$.model.id', event ->> '$.model.version' FROM events WHERE id = @eventId`)
  const writeRequest = database.prepare('INSERT INTO requests (key, fingerprint, at) VALUES (?, ?, ?)')
  const forgetRequests = database.prepare('DELETE FROM requests WHERE at < ?')

  const putIncident = (record: IncidentRecord): void => {
    const version = record.version + 1
    const { kind, state, severity, openedAt, wardId, hotspotId, id } = record
    const columns = { id, kind, state, severity, openedAt, wardId, hotspotId, version }
    writeIncident.run({ ...columns, record: JSON.stringify({ ...record, version }) })
    for (const { key, cameraId, firstAt, lastAt } of record.happenings) {
      writeHappening.run({ key, incidentId: id, kind, cameraId, firstAt, lastAt })
    }
  }

  const putEvent = (event: StoredEvent, incidentId: string | null): void => {
    const written = writeEvent.run({
      ...event,
      incidentId,
      kind: event.event.kind,
      event: JSON.stringify(event.event),
    })
    if (written.changes === 0) return
    for (const item of event.event.evidence) writeEvidence.run(item.sha256, event.eventId)
  }

  const append = (entry: TimelineDraft): void => {
    const last = lastEntry.get(entry.incidentId)
    const hash = timelineHash(last?.hash ?? entry.incidentId, entry)
    writeEntry.run({ ...entry, position: (last?.position ?? 0) + 1, hash })
  }

  const transaction = database.transaction(
    ({ changes, events, verdict, request }: Commit): 'committed' | 'conflict' => {
      if (changes.incidents.some(record => (versionOf.get(record.id) ?? 0) !== record.version)) return 'conflict'
      if (request && knownRequest.get(request.key) !== undefined) return 'conflict'
      changes.incidents.forEach(putIncident)
      const placed = new Map(changes.placements.map(({ eventId, incidentId }) => [eventId, incidentId]))
      for (const event of events) putEvent(event, placed.get(event.eventId) ?? null)
      for (const merge of changes.merges) moveEvents.run(merge)
      changes.timeline.forEach(append)
      if (verdict) writeVerdict.run({ ...verdict, boxes: verdict.boxes && JSON.stringify(verdict.boxes) })
      if (request) {
        writeRequest.run(request.key, request.fingerprint, request.at)
        forgetRequests.run(request.at - requestsKeptMs)
      }
      return 'committed'
    },
  )
  // Immediate: the versions are read under the write lock, so no other process slips in between.
  return commit => transaction.immediate(commit)
}
