import type { Database } from 'better-sqlite3'
import { qualities, type SeriesPoint } from '../time-series-store.js'

export const minuteMs = 60_000
export const hourMs = 3_600_000

interface Bucket {
  readonly seriesId: number
  readonly at: number
  count: number
  sum: number
  min: number | null
  max: number | null
  worst: number
}

/**
 * Stores points and adds them to the rollups. A point that is there already is left alone, so a repeated run changes
 * nothing; only points that are new reach the rollups, which is why those can be sums and need no reading back.
 */
export const createWritePoints = (db: Database) => {
  const insertSeries = db
    .prepare<[string, string, string, string, string], number>(
      `INSERT INTO series (site_id, camera_id, analytic, property, unit) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET unit = excluded.unit RETURNING id`,
    )
    .pluck()
  const insertRaw = db.prepare('INSERT OR IGNORE INTO raw VALUES (?, ?, ?, ?)')
  const upsertLatest = db.prepare(
    `INSERT INTO latest VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET at = excluded.at, value = excluded.value,
       quality = excluded.quality WHERE excluded.at >= latest.at`,
  )
  const addTo = (table: 'minute' | 'hour') =>
    db.prepare(
      `INSERT INTO ${table} VALUES (:seriesId, :at, :count, :sum, :min, :max, :worst)
       ON CONFLICT DO UPDATE SET count = count + excluded.count, sum = sum + excluded.sum,
         min = min(coalesce(min, excluded.min), coalesce(excluded.min, min)),
         max = max(coalesce(max, excluded.max), coalesce(excluded.max, max)), worst = max(worst, excluded.worst)`,
    )
  const rollups = [
    { lengthMs: minuteMs, add: addTo('minute') },
    { lengthMs: hourMs, add: addTo('hour') },
  ]
  const seriesIds = new Map<string, number>()

  const seriesOf = ({ siteId, cameraId, analytic, property, unit }: SeriesPoint): number => {
    const key = `${siteId}/${cameraId}/${analytic}/${property}/${unit}`
    const known = seriesIds.get(key)
    if (known !== undefined) return known
    const id = insertSeries.get(siteId, cameraId, analytic, property, unit)!
    seriesIds.set(key, id)
    return id
  }

  const run = db.transaction((points: readonly SeriesPoint[]) => {
    const fresh = points.flatMap(point => {
      const seriesId = seriesOf(point)
      const quality = qualities.indexOf(point.quality)
      if (insertRaw.run(seriesId, point.at, point.value, quality).changes === 0) return []
      upsertLatest.run(seriesId, point.at, point.value, quality)
      return [{ seriesId, at: point.at, value: point.value, quality }]
    })
    for (const { lengthMs, add } of rollups) for (const bucket of bucketsOf(fresh, lengthMs)) add.run(bucket)
  })

  return (points: readonly SeriesPoint[]): void => {
    try {
      run(points)
    } catch (error) {
      seriesIds.clear()
      throw error
    }
  }
}

const bucketsOf = (
  points: readonly { seriesId: number; at: number; value: number | null; quality: number }[],
  lengthMs: number,
): readonly Bucket[] => {
  const buckets = new Map<string, Bucket>()
  for (const { seriesId, at, value, quality } of points) {
    const start = Math.floor(at / lengthMs) * lengthMs
    const key = `${seriesId}/${start}`
    const bucket = buckets.get(key) ?? { seriesId, at: start, count: 0, sum: 0, min: null, max: null, worst: 0 }
    buckets.set(key, bucket)
    bucket.worst = Math.max(bucket.worst, quality)
    if (value === null) continue
    bucket.count++
    bucket.sum += value
    bucket.min = Math.min(bucket.min ?? value, value)
    bucket.max = Math.max(bucket.max ?? value, value)
  }
  return [...buckets.values()]
}
