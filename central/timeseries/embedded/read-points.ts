import type { Database } from 'better-sqlite3'
import { qualities, type SeriesPoint, type SeriesQuery, type SeriesValue } from '../time-series-store.js'
import { hourMs, minuteMs } from './write-points.js'

interface WindowRow {
  readonly at: number
  readonly value: number | null
  readonly min: number | null
  readonly max: number | null
  readonly worst: number
}

const seriesFilter = `series_id IN (SELECT id FROM series WHERE camera_id = :cameraId AND property = :property
  AND (:siteId IS NULL OR site_id = :siteId) AND (:analytic IS NULL OR analytic = :analytic)) AND at >= :from AND at < :to`

// Numbers are bound as REAL, and a REAL would turn this into a division with a fraction.
const length = 'CAST(:windowMs AS INTEGER)'

/** The newest `limit` rows, which SQLite finds from the end, turned round. */
const ascending = (select: string) => `SELECT * FROM (${select} ORDER BY at DESC LIMIT :limit) ORDER BY at`

const windowsOfRaw = ascending(
  `SELECT at / ${length} * ${length} AS at, avg(value) AS value, min(value) AS min, max(value) AS max, max(quality) AS worst
   FROM raw WHERE ${seriesFilter} GROUP BY at / ${length}`,
)
const windowsOfRollup = (table: 'minute' | 'hour') =>
  ascending(
    `SELECT at / ${length} * ${length} AS at, sum(sum) / nullif(sum(count), 0) AS value, min(min) AS min, max(max) AS max,
       max(worst) AS worst FROM ${table} WHERE ${seriesFilter} GROUP BY at / ${length}`,
  )

const parametersOf = (query: SeriesQuery) => ({
  ...query,
  siteId: query.siteId ?? null,
  analytic: query.analytic ?? null,
})

/** Reads windows from the coarsest rollup they are made of. */
export const createReadPoints = (db: Database) => {
  const selectRaw = db.prepare<object, { at: number; value: number | null; quality: number }>(
    ascending(`SELECT at, value, quality FROM raw WHERE ${seriesFilter}`),
  )
  const selectWindows = {
    raw: db.prepare<object, WindowRow>(windowsOfRaw),
    minute: db.prepare<object, WindowRow>(windowsOfRollup('minute')),
    hour: db.prepare<object, WindowRow>(windowsOfRollup('hour')),
  }
  const selectLatest = db.prepare<[string], Omit<SeriesPoint, 'quality'> & { quality: number }>(
    `SELECT site_id AS siteId, camera_id AS cameraId, analytic, property, unit, at, value, quality
     FROM series JOIN latest ON series_id = id WHERE property = ? ORDER BY site_id, camera_id, analytic`,
  )

  const readRaw = (query: SeriesQuery): readonly SeriesValue[] =>
    selectRaw.all(parametersOf(query)).map(({ at, value, quality }) => ({
      at,
      value,
      min: value,
      max: value,
      quality: qualities[quality]!,
    }))

  const readWindows = (query: SeriesQuery, windowMs: number): readonly SeriesValue[] => {
    const source = windowMs % hourMs === 0 ? 'hour' : windowMs % minuteMs === 0 ? 'minute' : 'raw'
    const from = Math.floor(query.from / windowMs) * windowMs
    const to = Math.ceil(query.to / windowMs) * windowMs
    const rows = selectWindows[source].all({ ...parametersOf(query), windowMs, from, to })
    return rows.map(({ worst, ...window }) => ({
      ...window,
      quality: window.value === null ? 'suspended' : worst === 0 ? 'good' : 'uncertain',
    }))
  }

  return {
    query: (query: SeriesQuery): readonly SeriesValue[] =>
      query.windowMs === undefined ? readRaw(query) : readWindows(query, query.windowMs),
    latest: (property: string): readonly SeriesPoint[] =>
      selectLatest.all(property).map(row => ({ ...row, quality: qualities[row.quality]! })),
  }
}
