import { parentPort, workerData } from 'node:worker_threads'
import type { SeriesPoint, SeriesQuery } from '../time-series-store.js'
import { createReadPoints } from './read-points.js'
import { openSeriesDatabase } from './series-database.js'
import { createTrimPoints } from './trim-points.js'
import { createWritePoints } from './write-points.js'

/** SQLite is synchronous; in a thread of its own a slow disk or a long read stalls nobody else. */
export type SeriesRequest =
  | { readonly kind: 'write'; readonly points: readonly SeriesPoint[] }
  | { readonly kind: 'query'; readonly query: SeriesQuery }
  | { readonly kind: 'latest'; readonly property: string }
  | { readonly kind: 'ping' }
  | { readonly kind: 'close' }

const trimEveryMs = 600_000
const { file, rawDays } = workerData as { file: string; rawDays: number }
const port = parentPort!
const db = openSeriesDatabase(file)
const write = createWritePoints(db)
const read = createReadPoints(db)
const trim = createTrimPoints(db)

const answer = (request: SeriesRequest): unknown => {
  if (request.kind === 'write') return write(request.points)
  if (request.kind === 'query') return read.query(request.query)
  if (request.kind === 'latest') return read.latest(request.property)
  if (request.kind === 'ping') return db.prepare('SELECT 1').get()
  clearInterval(trimmer)
  db.close()
  return undefined
}

const trimSome = (): void => {
  if (!db.open) return
  try {
    if (trim(Date.now(), rawDays).more) setTimeout(trimSome, 50)
  } catch (error) {
    process.emitWarning(`time series: ${(error as Error).message}; old values are trimmed later`)
  }
}
const trimmer = setInterval(trimSome, trimEveryMs)
setTimeout(trimSome, 10_000).unref()

port.on('message', ({ id, request }: { id: number; request: SeriesRequest }) => {
  try {
    port.postMessage({ id, result: answer(request) })
  } catch (error) {
    port.postMessage({ id, error: (error as Error).message })
  }
  if (request.kind === 'close') port.close()
})
