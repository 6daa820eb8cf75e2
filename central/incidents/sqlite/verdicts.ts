import type { Database } from 'better-sqlite3'
import type { JudgedEvent, StoredVerdict, VerdictCount, VerdictFilter, VerdictStore } from '../verdict-store.js'
import { conditions } from './conditions.js'

export interface VerdictRow extends Omit<StoredVerdict, 'boxes'> {
  readonly boxes: string | null
}
interface JudgedRow extends VerdictRow, Pick<JudgedEvent, 'number' | 'incidentId' | 'cameraId' | 'phenomenonAt'> {
  readonly event: string
}
interface CountRow extends Omit<VerdictCount, 'model'> {
  readonly modelId: string | null
  readonly modelVersion: string | null
}

export const verdictColumns = `verdicts.event_id AS eventId, value, by, at, note, picture_sha256 AS pictureSha256, boxes`
const judgedColumns = `${verdictColumns}, verdicts.id AS number, events.incident_id AS incidentId,
  verdicts.camera_id AS cameraId, verdicts.phenomenon_at AS phenomenonAt, events.event AS event`

export const verdictOf = (row: VerdictRow): StoredVerdict => ({
  eventId: row.eventId,
  value: row.value,
  by: row.by,
  at: row.at,
  note: row.note,
  pictureSha256: row.pictureSha256,
  boxes: row.boxes === null ? null : JSON.parse(row.boxes),
})

const judgedOf = (row: JudgedRow): JudgedEvent => ({
  number: row.number,
  verdict: verdictOf(row),
  incidentId: row.incidentId,
  cameraId: row.cameraId,
  phenomenonAt: row.phenomenonAt,
  event: JSON.parse(row.event),
})

const countOf = ({ modelId, modelVersion, ...row }: CountRow): VerdictCount => ({
  ...row,
  model: modelId === null || modelVersion === null ? null : { id: modelId, version: modelVersion },
})

export const prepareVerdicts = (database: Database): VerdictStore => {
  const newest = database.prepare<[], number>('SELECT coalesce(max(id), 0) FROM verdicts').pluck()
  const ofEvent = database.prepare<[string], VerdictRow>(
    `SELECT ${verdictColumns} FROM verdicts WHERE event_id = ? ORDER BY id`,
  )

  const asOf = ({ through, ...filter }: VerdictFilter & { readonly through: number }) => {
    const where = matching(filter)
    where.is(
      'verdicts.id = (SELECT max(id) FROM verdicts AS v WHERE v.event_id = verdicts.event_id AND v.id <= ?)',
      through,
    )
    return where
  }

  return {
    newest: async () => newest.get() ?? 0,
    history: async eventId => ofEvent.all(eventId).map(verdictOf),
    // Pictures first, then all that was said of each. The first of them may have nothing left behind `after`.
    labelled: async ({ through, ...filter }, { after, limit }) => {
      const chosen = asOf({ ...filter, through })
      chosen.oneOf('value', ['true', 'false'])
      chosen.is("picture_sha256 > ''")
      chosen.is('picture_sha256 >= ?', after?.pictureSha256)
      const where = asOf({ through, values: ['true', 'false', 'unsure'] })
      where.is('(verdicts.picture_sha256, verdicts.event_id) > (?, ?)', after?.pictureSha256, after?.eventId)
      const sql = `SELECT ${judgedColumns}
        FROM (SELECT DISTINCT picture_sha256 AS sha256 FROM verdicts ${chosen.sql()} ORDER BY 1 LIMIT ?) AS chosen
        JOIN verdicts ON verdicts.picture_sha256 = chosen.sha256
        JOIN events ON events.id = verdicts.event_id ${where.sql()}
        ORDER BY verdicts.picture_sha256, verdicts.event_id LIMIT ?`
      return database
        .prepare<unknown[], JudgedRow>(sql)
        .all(...chosen.values, limit + 1, ...where.values, limit)
        .map(judgedOf)
    },
    tally: async filter => {
      const where = asOf(filter)
      const sql = `SELECT value, picture_sha256 IS NOT NULL AS hasPicture, count(*) AS count FROM verdicts ${where.sql()}
        GROUP BY 1, 2 ORDER BY 1, 2`
      return database
        .prepare<unknown[], { value: StoredVerdict['value']; hasPicture: number; count: number }>(sql)
        .all(...where.values)
        .map(row => ({ ...row, hasPicture: row.hasPicture === 1 }))
    },
    // SQLite takes bare columns beside max() from the row that holds the maximum.
    counts: async ({ values, ...filter }) => {
      const [where, having] = [matching(filter), conditions()]
      having.oneOf('value', values)
      const sql = `SELECT camera_id AS cameraId, kind, model_id AS modelId, model_version AS modelVersion, value,
          count(*) AS count, max(at) AS newestAt
        FROM (SELECT *, max(id) FROM verdicts ${where.sql()} GROUP BY happening_key, model_id, model_version)
        ${having.sql()} GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5`
      return database
        .prepare<unknown[], CountRow>(sql)
        .all(...where.values, ...having.values)
        .map(countOf)
    },
    happenings: async ({ values, ...filter }, { before, limit }) => {
      const [where, having] = [matching(filter), conditions()]
      having.oneOf('value', values)
      having.is('verdicts.id < ?', before)
      const sql = `SELECT ${judgedColumns}
        FROM (SELECT *, max(id) FROM verdicts ${where.sql()} GROUP BY happening_key, model_id, model_version) AS verdicts
        JOIN events ON events.id = verdicts.event_id ${having.sql()} ORDER BY verdicts.id DESC LIMIT ?`
      return database
        .prepare<unknown[], JudgedRow>(sql)
        .all(...where.values, ...having.values, limit)
        .map(judgedOf)
    },
  }
}

const matching = ({ cameraIds, kinds, values, modelId, modelVersion, fromMs, toMs }: VerdictFilter) => {
  const where = conditions()
  where.oneOf('verdicts.camera_id', cameraIds)
  where.oneOf('verdicts.kind', kinds)
  where.oneOf('value', values)
  where.is('model_id = ?', modelId)
  where.is('model_version = ?', modelVersion)
  where.is('verdicts.phenomenon_at >= ?', fromMs)
  where.is('verdicts.phenomenon_at < ?', toMs)
  return where
}
