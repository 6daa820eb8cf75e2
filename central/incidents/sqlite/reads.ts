import type { Database } from 'better-sqlite3'
import type { Situation } from '../engine/apply-events.js'
import type {
  ChainedEntry,
  EventFilter,
  IncidentFilter,
  NumberedIncident,
  PageRequest,
  PlacedEvent,
  SituationQuery,
} from '../incident-store.js'
import { conditions } from './conditions.js'
import { type VerdictRow, verdictColumns, verdictOf } from './verdicts.js'

interface IncidentRow {
  readonly number: number
  readonly record: string
}
interface EventRow extends Omit<PlacedEvent, 'event' | 'verdict'> {
  readonly event: string
}

const eventColumns = `id AS eventId, incident_id AS incidentId, position, site_id AS siteId, agent_id AS agentId,
  camera_id AS cameraId, happening_key AS happeningKey, received_at AS receivedAt, phenomenon_at AS phenomenonAt, event`

const incidentOf = (row: IncidentRow): NumberedIncident => ({ ...JSON.parse(row.record), number: row.number })
export const prepareReads = (database: Database) => {
  const byId = database.prepare<[string], IncidentRow>('SELECT number, record FROM incidents WHERE id = ?')
  const byHappening = database.prepare<[string], string>('SELECT incident_id FROM happenings WHERE key = ?').pluck()
  const bySpan = database
    .prepare<{ kind: string; fromMs: number; toMs: number }, string>(
      'SELECT DISTINCT incident_id FROM happenings WHERE kind = @kind AND last_at >= @fromMs AND first_at <= @toMs',
    )
    .pluck()
  const known = database.prepare<[string], number>('SELECT 1 FROM events WHERE id = ?').pluck()
  const entries = database.prepare<[string], ChainedEntry>(`
    SELECT incident_id AS incidentId, at, by, action, from_value AS "from", to_value AS "to", note,
      event_id AS eventId, hash FROM timeline WHERE incident_id = ? ORDER BY position`)
  const eventById = database.prepare<[string], EventRow>(`SELECT ${eventColumns} FROM events WHERE id = ?`)
  const newestVerdict = database.prepare<[string], VerdictRow>(
    `SELECT ${verdictColumns} FROM verdicts WHERE event_id = ? ORDER BY id DESC LIMIT 1`,
  )
  const fingerprint = database.prepare<[string], string>('SELECT fingerprint FROM requests WHERE key = ?').pluck()

  const eventOf = (row: EventRow): PlacedEvent => {
    const verdict = newestVerdict.get(row.eventId)
    return { ...row, event: JSON.parse(row.event), verdict: verdict ? verdictOf(verdict) : null }
  }

  const get = (incidentId: string): NumberedIncident | undefined => {
    const row = byId.get(incidentId)
    return row && incidentOf(row)
  }

  return {
    get,
    timeline: (incidentId: string): readonly ChainedEntry[] => entries.all(incidentId),
    event: (eventId: string): PlacedEvent | undefined => {
      const row = eventById.get(eventId)
      return row && eventOf(row)
    },
    requestFingerprint: (key: string): string | undefined => fingerprint.get(key),

    situation: ({ eventIds, happeningKeys, spans }: SituationQuery): Situation => {
      const ids = new Set<string>()
      for (const key of happeningKeys) {
        const id = byHappening.get(key)
        if (id !== undefined) ids.add(id)
      }
      for (const span of spans) for (const id of bySpan.all(span)) ids.add(id)
      return {
        incidents: [...ids].map(id => get(id)!),
        knownEventIds: new Set(eventIds.filter(id => known.get(id) !== undefined)),
      }
    },

    list: (filter: IncidentFilter, page: PageRequest): readonly NumberedIncident[] => {
      const where = conditions()
      where.oneOf('state', filter.states)
      where.oneOf('kind', filter.kinds)
      where.oneOf('severity', filter.severities)
      where.is('ward_id = ?', filter.wardId)
      where.is('hotspot_id = ?', filter.hotspotId)
      where.is('id IN (SELECT incident_id FROM happenings WHERE camera_id = ?)', filter.cameraId)
      where.is('opened_at >= ?', filter.sinceMs)
      where.is('opened_at < ?', filter.untilMs)
      where.is(
        'id IN (SELECT incident_id FROM events JOIN event_evidence ON event_id = events.id WHERE sha256 = ?)',
        filter.evidenceSha256,
      )
      where.after('opened_at', page)
      const sql = `SELECT number, record FROM incidents ${where.sql()} ORDER BY opened_at DESC, id DESC LIMIT ?`
      return database
        .prepare<unknown[], IncidentRow>(sql)
        .all(...where.values, page.limit)
        .map(incidentOf)
    },

    events: (filter: EventFilter, page: PageRequest): readonly PlacedEvent[] => {
      const where = conditions()
      where.oneOf('kind', filter.kinds)
      where.is('camera_id = ?', filter.cameraId)
      where.is('incident_id = ?', filter.incidentId)
      where.is('incident_id IN (SELECT id FROM incidents WHERE ward_id = ?)', filter.wardId)
      where.is('phenomenon_at >= ?', filter.sinceMs)
      where.is('phenomenon_at < ?', filter.untilMs)
      where.after('phenomenon_at', page)
      const sql = `SELECT ${eventColumns} FROM events ${where.sql()} ORDER BY phenomenon_at DESC, id DESC LIMIT ?`
      return database
        .prepare<unknown[], EventRow>(sql)
        .all(...where.values, page.limit)
        .map(eventOf)
    },
  }
}
