import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Database } from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createReadPoints } from '../../../central/timeseries/embedded/read-points.js'
import { openSeriesDatabase } from '../../../central/timeseries/embedded/series-database.js'
import { createTrimPoints } from '../../../central/timeseries/embedded/trim-points.js'
import { createWritePoints } from '../../../central/timeseries/embedded/write-points.js'
import type { SeriesPoint } from '../../../central/timeseries/time-series-store.js'

const dayMs = 86_400_000
const now = Date.parse('2026-10-27T00:00:00.000Z')
const point = (at: number, value: number, cameraId = 'le-loi-1'): SeriesPoint => ({
  siteId: 'an-cuu',
  cameraId,
  analytic: 'flood',
  property: 'floodLevel',
  at,
  value,
  unit: 'cm',
  quality: 'good',
})

let directory: string
let db: Database
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'series-'))
  db = openSeriesDatabase(join(directory, 'series.sqlite'))
})
afterEach(() => {
  db.close()
  rmSync(directory, { recursive: true })
})

describe('retention of the embedded store', () => {
  it('drops raw values after rawDays, minutes after four times that, hours never', () => {
    createWritePoints(db)([point(now - 41 * dayMs, 1), point(now - 11 * dayMs, 2), point(now - 9 * dayMs, 3)])
    const trim = createTrimPoints(db)
    while (trim(now, 10).more);
    const { query, latest } = createReadPoints(db)
    const values = (windowMs?: number) =>
      query({
        cameraId: 'le-loi-1',
        property: 'floodLevel',
        from: 0,
        to: now,
        limit: 10,
        ...(windowMs === undefined ? {} : { windowMs }),
      }).map(({ value }) => value)
    expect(values()).toEqual([3])
    expect(values(60_000)).toEqual([2, 3])
    expect(values(3_600_000)).toEqual([1, 2, 3])
    expect(latest('floodLevel')).toMatchObject([{ value: 3 }])
  })

  it('works in steps, so that no write waits long', () => {
    const old = Array.from({ length: 12_000 }, (_, index) =>
      point(now - 20 * dayMs + index, index, `camera-${index % 3}`),
    )
    createWritePoints(db)(old)
    const trim = createTrimPoints(db)
    const steps = [trim(now, 10).more, trim(now, 10).more, trim(now, 10).more]
    expect(steps).toEqual([true, true, false])
    expect(db.prepare('SELECT count(*) FROM raw').pluck().get()).toBe(0)
  })
})
