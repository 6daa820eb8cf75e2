import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { eventEnvelopeExample } from '@watchpost/shared/contracts/envelope'
import { topicOf } from '@watchpost/shared/topics'
import mqtt from 'mqtt'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { openSqliteUsers } from '../../central/api/ioc/sqlite/user-store.js'
import { createUsers } from '../../central/api/ioc/users.js'
import { dataFiles } from '../../central/config/data-files.js'
import { loadCentralConfig } from '../../central/config/load-central-config.js'
import { loadCity } from '../../central/config/load-city.js'
import { openDiskEvidence } from '../../central/evidence/adapters/disk.js'
import { City } from '../../central/registry/city.js'
import { buildService, defaultAdapters, type Service } from '../../central/service.js'
import { freePort } from '../helpers/free-port.js'
import { until } from '../helpers/server-process.js'
import { smallCity } from '../helpers/small-city.js'
import { address, createProducer, observation, type Producer } from './ingest/producer.js'

const epoch = 1_793_070_000_000

let directory: string
let service: Service
let producer: Producer | undefined
const clients: mqtt.MqttClient[] = []

const build = async (extra = '') => {
  writeFileSync(join(directory, 'city.yaml'), smallCity('an-cuu-1'))
  const text = `version: 1\ndataDir: data\ncity: city.yaml\nbroker: { mode: embedded, port: 0 }\nhttp: { port: 0 }\n${extra}`
  writeFileSync(join(directory, 'central.yaml'), text)
  const loaded = loadCentralConfig(join(directory, 'central.yaml'), City)
  const onFatal = (reason: Error) => {
    throw reason
  }
  service = await buildService(loaded, defaultAdapters(loaded, { log: pino({ level: 'silent' }), onFatal }))
}
const get = async (path: string, headers: Record<string, string> = {}) => {
  const response = await service.app.inject({ method: 'GET', url: path, headers })
  return { status: response.statusCode, text: response.body, json: () => response.json() }
}
const isReady = async () => (await get('/readyz')).status === 200
const agent = async () => {
  const client = await mqtt.connectAsync(service.address()!.broker, { clientId: 'an-cuu-1', protocolVersion: 4 })
  clients.push(client)
  return client
}
const asViewer = async (): Promise<Record<string, string>> => {
  const users = createUsers({
    store: openSqliteUsers({ file: dataFiles(join(directory, 'data')).users }),
    clock: Date.now,
  })
  await users.add({ name: 'viewer', role: 'viewer', wardId: null, password: 'long enough' })
  const token = await users.renewApiToken('viewer')
  await users.close()
  return { authorization: `Bearer ${token}` }
}

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'service-'))
})
afterEach(async () => {
  await producer?.close()
  producer = undefined
  await Promise.all(clients.splice(0).map(client => client.endAsync(true)))
  await service.stop()
  rmSync(directory, { recursive: true, force: true })
})

describe('central as a whole', () => {
  it('turns messages into readings, an incident and an account of both', async () => {
    await build()
    await service.start()
    await until('central is ready', isReady)
    const headers = await asViewer()
    const client = await agent()
    const took = new Promise<number>(resolve =>
      client.on('message', (_, payload) => {
        const { seq } = JSON.parse(payload.toString())
        if (seq === 3) resolve(seq)
      }),
    )
    await client.subscribeAsync(topicOf(address, 'ack'), { qos: 1 })
    const envelopes = [
      observation(epoch, 1),
      { ...eventEnvelopeExample, epoch, seq: 2 },
      observation(epoch, 3, { data: { ...eventEnvelopeExample, value: 1 } }),
    ]
    await client.publishAsync(topicOf(address, 'data'), JSON.stringify({ epoch, oldestSeq: 1, envelopes }), { qos: 1 })
    expect(await took).toBe(3)

    await until(
      'the incident is there',
      async () => (await get('/api/v1/incidents', headers)).json().items.length === 1,
    )
    expect((await get('/api/v1/incidents', headers)).json().items[0]).toMatchObject({
      kind: 'flood-level',
      cameraId: 'le-loi-1',
      wardId: 'thuan-hoa',
    })
    expect((await get('/api/v1/agents/an-cuu-1/ledger', headers)).json().epochs).toMatchObject([
      { ackedSeq: 3, received: 2, refused: 1, firstGap: null, byType: { 'observation.v1': 1, 'event.v1': 1 } },
    ])
    const at = Date.parse('2026-10-27T03:04:05.678Z')
    const [from, to] = [at - 1000, at + 1000].map(ms => new Date(ms).toISOString())
    const series = `/api/v1/series?camera=le-loi-1&property=floodLevel&from=${from}&to=${to}`
    await until('the reading is there', async () => (await get(series, headers)).json().values?.length === 1)
    const metrics = (await get('/metrics')).text
    expect(metrics).toContain('watchpost_ingest_committed_total 2')
    expect(metrics).toContain('watchpost_ingest_refused_total{reason="invalid-message"} 1')
    expect(metrics).toContain('watchpost_consumer_lag{consumer="incidents"} 0')
  })

  it('is alive, but not ready, before it started', {
    timeout: 240_000,
  }, async () => {
    await build()
    expect((await get('/healthz')).status).toBe(200)
    const before = await get('/readyz')
    expect(before.status).toBe(503)
    expect(before.json().checks).toContainEqual({ name: 'broker', trouble: expect.any(String) })
    await service.start()
    await until('central is ready', isReady)
  })

  it('lets an agent in as soon as the city file names it', async () => {
    await build()
    await service.start()
    await until('central is ready', isReady)
    const headers = await asViewer()
    writeFileSync(join(directory, 'city.yaml'), smallCity('an-cuu-9'))
    service.replaceCity(loadCity(join(directory, 'city.yaml'), City))
    producer = createProducer({ url: service.address()!.broker, total: 10, epoch })
    await until('it is shown', async () => {
      const { items } = (await get('/api/v1/agents', headers)).json()
      return items.some((each: { id: string; known: boolean }) => each.id === 'an-cuu-1' && !each.known)
    })
    expect(producer.ackedSeq()).toBe(0)
    writeFileSync(join(directory, 'city.yaml'), smallCity('an-cuu-1'))
    service.replaceCity(loadCity(join(directory, 'city.yaml'), City))
    await producer.done
    expect(producer.nacks).toEqual([])
  })

  it('deletes what is older than its retention once the clock has had time to be set', async () => {
    const evidence = openDiskEvidence({
      directory: dataFiles(join(directory, 'data')).evidence,
      maxBytes: 1000,
      isNamed: async () => false,
      clock: () => 1000,
    })
    const bytes = Buffer.from([0xff, 0xd8, 0xff, 0xe0, ...Array(20).fill(0)])
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    const from = { agentId: 'an-cuu-1', cameraId: 'le-loi-1', role: 'at', takenAt: null } as const
    expect(await evidence.receive(sha256, Readable.from([bytes]), from)).toMatchObject({ ok: true })
    await evidence.close()
    await build('evidence: { retentionDays: 365 }\n')
    const timers = vi.spyOn(globalThis, 'setTimeout')
    await service.start()
    const file = join(dataFiles(join(directory, 'data')).evidence, sha256.slice(0, 2), sha256)
    expect(existsSync(file)).toBe(true)
    const [sweep] = timers.mock.calls.find(([, ms]) => ms === 15 * 60_000)!
    timers.mockRestore()
    sweep()
    await until('it is gone', () => !existsSync(file))
  })

  it('acknowledges and raises incidents while InfluxDB is away, and says so', async () => {
    await build(`timeseries: { kind: influxdb, url: "http://127.0.0.1:${await freePort()}", api: v1, database: hue }\n`)
    await service.start()
    producer = createProducer({ url: service.address()!.broker, total: 200, epoch })
    await producer.done
    await until('the others are done', async () =>
      /consumer_lag{consumer="incidents"} 0/.test((await get('/metrics')).text),
    )
    const troubles = async () =>
      (await get('/readyz')).json().checks.filter((check: { trouble: string | null }) => check.trouble !== null)
    await until('the refusal is noticed', async () => (await troubles()).length === 2)
    expect((await get('/readyz')).status).toBe(503)
    expect(await troubles()).toMatchObject([
      { name: 'consumers', trouble: expect.stringContaining('timeseries-influxdb (200 behind)') },
      { name: 'timeseries', trouble: expect.stringContaining('check that it runs') },
    ])
  })
})
