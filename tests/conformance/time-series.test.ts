import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { openEmbeddedStore } from '../../central/timeseries/embedded/embedded-store.js'
import { openInfluxStore } from '../../central/timeseries/influxdb/influx-store.js'
import type { SeriesPoint, SeriesQuery, TimeSeriesStore } from '../../central/timeseries/time-series-store.js'
import { missingProgram } from '../helpers/missing-program.js'
import { freePort } from '../helpers/free-port.js'
import { type ServerProcess, startServer } from '../helpers/server-process.js'

/** A recent whole hour: InfluxDB drops what is older than its retention. */
const start = Math.floor(Date.now() / 3_600_000) * 3_600_000 - 6 * 3_600_000
const minute = 60_000

const point = (atMs: number, value: number | null, change: Partial<SeriesPoint> = {}): SeriesPoint => ({
  siteId: 'an-cuu',
  cameraId: 'le-loi-1',
  analytic: 'flood',
  property: 'floodLevel',
  at: start + atMs,
  value,
  unit: 'cm',
  quality: value === null ? 'suspended' : 'good',
  ...change,
})
const query = (change: Partial<SeriesQuery> = {}): SeriesQuery => ({
  cameraId: 'le-loi-1',
  property: 'floodLevel',
  from: start,
  to: start + 3_600_000,
  limit: 1000,
  ...change,
})

const directory = mkdtempSync(join(tmpdir(), 'time-series-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

let influx: { process: ServerProcess; port: number } | undefined
const startInflux = async () => {
  const [port, rpc] = [await freePort(), await freePort()]
  const folder = mkdtempSync(join(directory, 'influxdb-'))
  const file = join(folder, 'influxdb.conf')
  writeFileSync(
    file,
    `reporting-disabled = true
bind-address = "127.0.0.1:${rpc}"
[meta]
  dir = "${folder}/meta"
[data]
  dir = "${folder}/data"
  wal-dir = "${folder}/wal"
  query-log-enabled = false
[http]
  bind-address = "127.0.0.1:${port}"
  log-enabled = false
[monitor]
  store-enabled = false
`,
  )
  const process = await startServer(
    'influxd',
    ['-config', file],
    async () => (await fetch(`http://127.0.0.1:${port}/ping`)).ok,
  )
  return { process, port }
}
const createDatabase = async (port: number, name: string, retention = ''): Promise<void> => {
  const body = new URLSearchParams({ q: `CREATE DATABASE "${name}" ${retention}` })
  const response = await fetch(`http://127.0.0.1:${port}/query`, { method: 'POST', body })
  const answer = await response.text()
  if (!response.ok || answer.includes('error')) throw new Error(answer)
}

let databases = 0
const adapters = [
  {
    name: 'embedded',
    missing: undefined,
    open: async (refused: SeriesPoint[]) =>
      openEmbeddedStore({
        file: join(directory, `embedded-${databases++}.sqlite`),
        rawDays: 30,
        onRefused: each => refused.push(each),
      }),
  },
  {
    name: 'influxdb 1.x',
    missing: missingProgram('influxd'),
    open: async (refused: SeriesPoint[]) => {
      influx ??= await startInflux()
      const database = `test-${databases++}`
      await createDatabase(influx.port, database)
      return openInfluxStore({
        url: `http://127.0.0.1:${influx.port}/`,
        api: 'v1',
        database,
        org: 'any',
        onRefused: each => refused.push(each),
      })
    },
  },
]
afterAll(async () => influx?.process.stop())

for (const { name, missing, open } of adapters)
  describe.skipIf(missing !== undefined)(
    `time series in ${name}${missing === undefined ? '' : ` (${missing})`}`,
    () => {
      let store: TimeSeriesStore
      let refused: SeriesPoint[]
      beforeEach(async () => {
        refused = []
        store = await open(refused)
      })
      afterEach(() => store.close())

      it('can be reached', async () => {
        await expect(store.ping()).resolves.not.toThrow()
      })

      it('returns what was written, ascending, also when it was written in another order', async () => {
        await store.write([point(3000, 3), point(1000, 1.5)])
        await store.write([point(2000, null)])
        expect(await store.query(query())).toEqual([
          { at: start + 1000, value: 1.5, min: 1.5, max: 1.5, quality: 'good' },
          { at: start + 2000, value: null, min: null, max: null, quality: 'suspended' },
          { at: start + 3000, value: 3, min: 3, max: 3, quality: 'good' },
        ])
      })

      it('does not double what is written again', async () => {
        const points = [point(1000, 10), point(2000, 20), point(61_000, null)]
        for (let again = 0; again < 3; again++) await store.write(points)
        await store.write([...points, point(3000, 60)])
        expect(await store.query(query())).toHaveLength(4)
        expect(await store.query(query({ windowMs: minute }))).toMatchObject([
          { at: start, value: 30, min: 10, max: 60 },
          { at: start + minute, value: null },
        ])
      })

      it('keeps sites, cameras, properties and analytics apart', async () => {
        await store.write([
          point(1000, 1),
          point(1000, 2, { cameraId: 'le-loi-2' }),
          point(1000, 3, { property: 'floodRate', unit: 'cm/h' }),
          point(2000, 4, { analytic: 'flood-2' }),
        ])
        const values = async (change: Partial<SeriesQuery>) =>
          (await store.query(query(change))).map(({ value }) => value)
        expect(await values({ analytic: 'flood' })).toEqual([1])
        expect(await values({})).toEqual([1, 4])
        expect(await values({ cameraId: 'le-loi-2' })).toEqual([2])
        expect(await values({ property: 'floodRate' })).toEqual([3])
        await store.write([point(3000, 5, { siteId: 'kim-long' })])
        expect(await values({})).toEqual([1, 4, 5])
        expect(await values({ siteId: 'an-cuu' })).toEqual([1, 4])
        expect(await values({ siteId: 'kim-long', windowMs: 60_000 })).toEqual([5])
        expect(await values({ cameraId: "x' OR camera_id = 'le-loi-1" })).toEqual([])
      })

      it.each([
        ['seconds', 10_000],
        ['minutes', minute],
        ['hours', 3_600_000],
      ])('averages over windows of %s, with the quality of the worst', async (_, windowMs) => {
        await store.write([
          point(0, 1),
          point(windowMs - 1000, 4),
          point(windowMs, 2),
          point(windowMs + 1000, null),
          point(2 * windowMs, null),
          point(4 * windowMs, 8, { quality: 'uncertain' }),
        ])
        const windows = await store.query(query({ from: start + 1, to: start + 4 * windowMs + 1, windowMs }))
        expect(windows).toEqual([
          { at: start, value: 2.5, min: 1, max: 4, quality: 'good' },
          { at: start + windowMs, value: 2, min: 2, max: 2, quality: 'uncertain' },
          { at: start + 2 * windowMs, value: null, min: null, max: null, quality: 'suspended' },
          { at: start + 4 * windowMs, value: 8, min: 8, max: 8, quality: 'uncertain' },
        ])
      })

      it('takes from inclusive, to exclusive, and of too many the newest', async () => {
        await store.write([0, 1000, 2000, 3000].map(at => point(at, at)))
        const ats = async (change: Partial<SeriesQuery>) =>
          (await store.query(query(change))).map(({ at }) => at - start)
        expect(await ats({ from: start + 1000, to: start + 3000 })).toEqual([1000, 2000])
        expect(await ats({ limit: 2 })).toEqual([2000, 3000])
        expect(await ats({ windowMs: 1000, limit: 2 })).toEqual([2000, 3000])
      })

      it('knows the newest point of each series, whichever came last', async () => {
        await store.write([
          point(2000, 2),
          point(5000, null),
          point(1000, 1, { cameraId: 'le-loi-2', quality: 'uncertain' }),
        ])
        await store.write([point(3000, 3)])
        const latest = await store.latest('floodLevel')
        expect([...latest].sort((a, b) => a.cameraId.localeCompare(b.cameraId))).toEqual([
          point(5000, null),
          point(1000, 1, { cameraId: 'le-loi-2', quality: 'uncertain' }),
        ])
        expect(await store.latest('smokeShare')).toEqual([])
      })

      it('puts aside alone what no store could hold', async () => {
        const bad = [point(1000, Number.POSITIVE_INFINITY), point(Number.NaN, 1), point(8e15, 1)]
        await store.write([point(0, 1), ...bad, point(2000, 2)])
        expect(refused).toEqual(bad)
        expect((await store.query(query())).map(({ value }) => value)).toEqual([1, 2])
      })

      it('takes a large batch', async () => {
        const many = Array.from({ length: 12_000 }, (_, index) => point(index * 100, index % 7))
        await store.write(many)
        expect(await store.query(query({ limit: 20_000 }))).toHaveLength(12_000)
        const windows = await store.query(query({ windowMs: minute }))
        expect(windows).toHaveLength(20)
        expect(windows[0]).toMatchObject({ min: 0, max: 6 })
      })
    },
  )

describe('embedded store', () => {
  it('keeps everything over a restart', async () => {
    const file = join(directory, 'restart.sqlite')
    const options = { file, rawDays: 30, onRefused: () => undefined }
    const first = openEmbeddedStore(options)
    await first.write([point(1000, 1)])
    await first.close()
    await expect(first.write([point(2000, 2)])).rejects.toThrow('closed')
    const second = openEmbeddedStore(options)
    expect(await second.query(query())).toHaveLength(1)
    await second.close()
  })

  it('rejects with the reason when its file cannot be opened', async () => {
    const store = openEmbeddedStore({ file: '/etc/hostname/series.sqlite', rawDays: 1, onRefused: () => undefined })
    await expect(store.ping()).rejects.toThrow('/etc/hostname/series.sqlite')
  })
})

const noInflux = missingProgram('influxd')
describe.skipIf(noInflux !== undefined)('influxdb 1.x', () => {
  it('puts aside alone the line the server refuses, and keeps its neighbours', async () => {
    influx ??= await startInflux()
    await createDatabase(influx.port, 'short', 'WITH DURATION 2d')
    const refused: SeriesPoint[] = []
    const reasons: string[] = []
    const store = openInfluxStore({
      url: `http://127.0.0.1:${influx.port}`,
      api: 'v1',
      database: 'short',
      org: '',
      onRefused: (each, reason) => {
        refused.push(each)
        reasons.push(reason)
      },
    })
    const old = point(-9 * 86_400_000, 5)
    const good = Array.from({ length: 20 }, (_, index) => point(index * 1000, index))
    await store.write([...good.slice(0, 13), old, ...good.slice(13)])
    expect(refused).toEqual([old])
    expect(reasons[0]).toContain('retention policy')
    expect(await store.query(query())).toHaveLength(20)
  })

  it('rejects, and refuses nothing, while the database is missing or the server is away', async () => {
    influx ??= await startInflux()
    const refused: SeriesPoint[] = []
    const at = (url: string) =>
      openInfluxStore({ url, api: 'v1', database: 'never-made', org: '', onRefused: each => refused.push(each) })
    await expect(at(`http://127.0.0.1:${influx.port}`).write([point(0, 1)])).rejects.toThrow(
      'CREATE DATABASE "never-made"',
    )
    const nobody = at(`http://127.0.0.1:${await freePort()}`)
    await expect(nobody.write([point(0, 1)])).rejects.toThrow('check that it runs')
    await expect(nobody.ping()).rejects.toThrow('check that it runs')
    expect(refused).toEqual([])
  })
})

describe('influxdb at a wrong address', () => {
  it.each([
    ['is refused by everything it asks', 400],
    ['answers to its ping', 200],
  ])('rejects and refuses nothing while another web server %s', async (_, pingStatus) => {
    let writes = 0
    const other = createServer((request, response) => {
      const isPing = request.url === '/ping'
      if (!isPing) writes++
      request.resume().on('end', () => response.writeHead(isPing ? pingStatus : 400).end('This is another server.'))
    }).listen(0, '127.0.0.1')
    await once(other, 'listening')
    const refused: SeriesPoint[] = []
    const store = openInfluxStore({
      url: `http://127.0.0.1:${(other.address() as AddressInfo).port}`,
      api: 'v2',
      database: 'hue',
      org: 'watchpost',
      token: 'secret',
      onRefused: each => refused.push(each),
    })
    const many = Array.from({ length: 500 }, (_, index) => point(index * 1000, index))
    await expect(store.write(many)).rejects.toThrow('another server')
    await expect(store.write(many.slice(0, 1))).rejects.toThrow('another server')
    expect([refused.length, writes]).toEqual([0, 2])
    await expect(store.ping()).rejects.toThrow('another server')
    other.closeAllConnections()
    other.close()
  })
})

const noVictoria = missingProgram('victoria-metrics')
describe.skipIf(noVictoria !== undefined)(
  'the write path of InfluxDB 2.x and 3.x, against a server that speaks it',
  () => {
    let victoria: ServerProcess
    let url: string
    beforeAll(async () => {
      const port = await freePort()
      url = `http://127.0.0.1:${port}`
      victoria = await startServer(
        'victoria-metrics',
        [`-storageDataPath=${join(directory, 'victoria')}`, `-httpListenAddr=127.0.0.1:${port}`, '-loggerLevel=ERROR'],
        async () => (await fetch(`${url}/health`)).ok,
      )
    })
    afterAll(async () => victoria?.stop())

    it('stores values, times and tags as they were', async () => {
      const store = openInfluxStore({
        url,
        api: 'v2',
        database: 'hue',
        org: 'watchpost',
        token: 'secret',
        onRefused: () => undefined,
      })
      await store.write([point(1000, 12.5), point(2000, null), point(3000, 13)])
      await fetch(`${url}/internal/force_flush`)
      const exported = await fetch(
        `${url}/api/v1/export?${new URLSearchParams({ 'match[]': '{camera_id="le-loi-1"}' })}`,
      )
      const series = (await exported.text())
        .trim()
        .split('\n')
        .map(line => JSON.parse(line))
      const of = (field: string) => series.find(each => each.metric.__name__ === `observation_${field}`)
      expect(of('value')).toMatchObject({
        metric: { site_id: 'an-cuu', camera_id: 'le-loi-1', analytic: 'flood', property: 'floodLevel' },
        values: [12.5, 13],
        timestamps: [start + 1000, start + 3000],
      })
      expect(of('quality')).toMatchObject({ values: [0, 2, 0], timestamps: [start + 1000, start + 2000, start + 3000] })
    })
  },
)
