import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEmbeddedStore } from '../../../central/timeseries/embedded/embedded-store.js'
import { newestByArrival } from '../../../central/timeseries/newest-by-arrival.js'
import type { SeriesPoint, TimeSeriesStore } from '../../../central/timeseries/time-series-store.js'

const hour = 3_600_000
const start = Date.UTC(2026, 9, 27, 3)
let directory: string
let now: number
let store: TimeSeriesStore
const open = () =>
  newestByArrival(
    openEmbeddedStore({ file: join(directory, 'series.sqlite'), rawDays: 30, onRefused: () => undefined }),
    () => now,
  )

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'newest-'))
  now = start
  store = open()
})
afterEach(async () => {
  await store.close()
  rmSync(directory, { recursive: true })
})

const point = (at: number, value: number, property = 'floodLevel'): SeriesPoint => ({
  siteId: 'an-cuu',
  cameraId: 'le-loi-1',
  analytic: 'flood',
  property,
  at,
  value,
  unit: 'cm',
  quality: 'good',
})
const latest = async (property = 'floodLevel') => (await store.latest(property)).map(({ at, value }) => [at, value])

describe('the newest point of a series', () => {
  it.each(['floodLevel', 'floodRate'])(
    'is the first right %s after one from a clock that was ahead',
    async property => {
      await store.write([point(now - 1000, 10, property)])
      expect(await latest(property)).toEqual([[now - 1000, 10]])
      const ahead = now + 12 * hour
      await store.write([point(ahead, 38, property)])
      expect(await latest(property)).toEqual([[ahead, 38]])
      await store.write([point(now, 11, property)])
      expect(await latest(property)).toEqual([[now, 11]])
      // Nor does it come back when its time has come.
      now = ahead + 1000
      await store.write([point(now - 2000, 12, property)])
      expect(await latest(property)).toEqual([[now - 2000, 12]])
    },
  )

  it('is the first right one also when central was restarted meanwhile', async () => {
    await store.write([point(now + 12 * hour, 38)])
    await store.close()
    store = open()
    expect(await latest()).toEqual([[now + 12 * hour, 38]])
    await store.write([point(now, 11)])
    expect(await latest()).toEqual([[now, 11]])
  })

  it('stays the newest by time when a backlog arrives, and with a clock that is a little ahead', async () => {
    expect(await latest()).toEqual([])
    await store.write([point(now + 20_000, 12)])
    await store.write([point(now - hour, 5)])
    expect(await latest()).toEqual([[now + 20_000, 12]])
  })

  it('is never one that no store could hold', async () => {
    expect(await latest()).toEqual([])
    await store.write([point(now, 11), point(Number.NaN, 1), point(8e15, 1)])
    expect(await latest()).toEqual([[now, 11]])
  })
})
