import { storable } from '../check-point.js'
import {
  type OnRefused,
  qualities,
  type SeriesPoint,
  type SeriesQuery,
  type SeriesValue,
  type TimeSeriesStore,
} from '../time-series-store.js'
import { lineOf, measurement } from './lines.js'
import { createInfluxServer, InfluxRefusedError, type InfluxSeries, type InfluxServerOptions } from './server.js'

export interface InfluxOptions extends InfluxServerOptions {
  readonly onRefused: OnRefused
}

/** Measured best on 1.6 and 2.x alike; larger ones only make a refused batch dearer. */
const batchLines = 5000

/**
 * InfluxDB over plain HTTP. Only the client's `Point` is used: its write queue holds lines in memory and drops them,
 * while ours is the committed log, whose cursor moves on when `write` resolves. Reading is InfluxQL, which 1.x, 2.x
 * (with a DBRP mapping) and 3.x all answer.
 */
export const openInfluxStore = (options: InfluxOptions): TimeSeriesStore => {
  const server = createInfluxServer(options)

  /**
   * A refused batch is halved until what is wrong stands alone; the good rest is written (again, which changes nothing). Not before
   * this is known to be a time series database: any web server answers 400 to what it does not understand, that is to everything.
   */
  const writeOrHalve = async (points: readonly SeriesPoint[], proof: { isGiven: boolean }): Promise<void> => {
    try {
      await server.write(points.map(lineOf))
      proof.isGiven = true
    } catch (error) {
      if (!(error instanceof InfluxRefusedError) || !error.isContent) throw error
      if (!proof.isGiven) await server.ping()
      proof.isGiven = true
      if (points.length === 1) return options.onRefused(points[0]!, error.message)
      const middle = points.length >> 1
      await writeOrHalve(points.slice(0, middle), proof)
      await writeOrHalve(points.slice(middle), proof)
    }
  }

  return {
    write: async points => {
      const good = storable(points, options.onRefused)
      const proof = { isGiven: false }
      for (let at = 0; at < good.length; at += batchLines) await writeOrHalve(good.slice(at, at + batchLines), proof)
    },
    query: async query => {
      const rows = rowsOf(
        await server.query(query.windowMs === undefined ? rawQuery(query) : windowQuery(query, query.windowMs)),
      )
      return rows.reverse().map(query.windowMs === undefined ? rawValue : windowValue)
    },
    latest: async property => {
      const series = await server.query(
        `SELECT value, quality, unit FROM ${measurement} WHERE property = ${quote(property)}
         GROUP BY site_id, camera_id, analytic ORDER BY time DESC LIMIT 1`,
      )
      return series.flatMap(each => rowsOf([each]).map(row => latestPoint(property, each.tags ?? {}, row)))
    },
    ping: () => server.ping(),
    close: async () => undefined,
  }
}

type Row = Readonly<Record<string, string | number | null>>

const rowsOf = (series: readonly InfluxSeries[]): Row[] =>
  series.flatMap(({ columns, values }) =>
    values.map(value => Object.fromEntries(columns.map((column, index) => [column, value[index] ?? null]))),
  )

const number = (value: string | number | null | undefined): number | null => (typeof value === 'number' ? value : null)

const rawValue = (row: Row): SeriesValue => {
  const value = number(row.value)
  return { at: Number(row.time), value, min: value, max: value, quality: qualities[Number(row.quality)] ?? 'uncertain' }
}

const windowValue = (row: Row): SeriesValue => {
  const value = number(row.value)
  const quality = value === null ? 'suspended' : row.worst === 0 ? 'good' : 'uncertain'
  return { at: Number(row.time), value, min: number(row.min), max: number(row.max), quality }
}

const latestPoint = (property: string, tags: Readonly<Record<string, string>>, row: Row): SeriesPoint => ({
  siteId: tags.site_id ?? '',
  cameraId: tags.camera_id ?? '',
  analytic: tags.analytic ?? '',
  property,
  at: Number(row.time),
  value: number(row.value),
  unit: String(row.unit ?? ''),
  quality: qualities[Number(row.quality)] ?? 'uncertain',
})

/** InfluxQL has no parameters over GET on every version, so texts are quoted here. */
const quote = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`

const whereOf = ({ siteId, cameraId, property, analytic }: SeriesQuery, from: number, to: number): string =>
  [
    `camera_id = ${quote(cameraId)}`,
    `property = ${quote(property)}`,
    ...(siteId === undefined ? [] : [`site_id = ${quote(siteId)}`]),
    ...(analytic === undefined ? [] : [`analytic = ${quote(analytic)}`]),
    `time >= ${whole(from)}ms`,
    `time < ${whole(to)}ms`,
  ].join(' AND ')

const whole = (value: number): number => Math.trunc(value)

const rawQuery = (query: SeriesQuery): string =>
  `SELECT value, quality FROM ${measurement} WHERE ${whereOf(query, query.from, query.to)}
   ORDER BY time DESC LIMIT ${whole(query.limit)}`

const windowQuery = (query: SeriesQuery, windowMs: number): string => {
  const from = Math.floor(query.from / windowMs) * windowMs
  const to = Math.ceil(query.to / windowMs) * windowMs
  return `SELECT mean(value) AS value, min(value) AS min, max(value) AS max, max(quality) AS worst FROM ${measurement}
    WHERE ${whereOf(query, from, to)} GROUP BY time(${whole(windowMs)}ms) fill(none)
    ORDER BY time DESC LIMIT ${whole(query.limit)}`
}
