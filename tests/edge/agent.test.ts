import { createHash } from 'node:crypto'
import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ConfigError } from '@watchpost/shared/config/config-error'
import type { CameraHealthEnvelope, EventEnvelope } from '@watchpost/shared/contracts/envelope'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { parseDocument } from 'yaml'
import { type Agent, buildAgent, openAdapters } from '../../edge/agent.js'
import { loadWithDesired } from '../../edge/config/load-with-desired.js'
import { inspectSqliteOutbox } from '../../edge/outbox/adapters/sqlite-inspect.js'
import {
  makeSite,
  openPictureDesk,
  type PictureDesk,
  type ScriptedSite,
  type SiteConfig,
} from '../pipeline/scripted-site.js'
import { mosquittoBroker, type TestBroker } from './uplink/brokers.js'
import { connectCentral, type ScriptedCentral } from './uplink/scripted-central.js'

// Real ffmpeg, worker threads, SQLite and Mosquitto, on a machine that may be busy.
vi.setConfig({ testTimeout: 600_000 })
const soon = { timeout: 90_000, interval: 100 }

let broker: TestBroker
let central: ScriptedCentral
let desk: PictureDesk
let site: ScriptedSite
const agents: Agent[] = []

beforeEach(async () => {
  broker = await mosquittoBroker()
  await broker.start()
  central = await connectCentral(broker.port, { siteId: 'an-cuu', agentId: 'an-cuu-1' })
  desk = await openPictureDesk()
})
afterEach(async () => {
  for (const agent of agents.splice(0)) await agent.stop()
  await central.close()
  await desk.close()
  await broker.close()
})

const layOut = (change?: (config: SiteConfig) => void): void => {
  site = makeSite({ brokerPort: broker.port, evidencePort: desk.port, ...(change ? { change } : {}) })
}
/** `errors`: why central's settings could not be taken. */
const startAgent = async (errors: readonly ConfigError[] = []): Promise<Agent> => {
  const running = { ...loadWithDesired(site.configFile), errors }
  const log = pino({ level: 'silent' })
  const agent = buildAgent(running, await openAdapters(running.loaded, log), { log, version: '0.1.0' })
  agents.push(agent)
  await agent.start()
  return agent
}
const stopAgent = async (agent: Agent): Promise<void> => {
  agents.splice(agents.indexOf(agent), 1)
  await agent.stop()
}
/** A first life of the agent, which ends while its only event goes on. */
const stopInFlood = async (): Promise<void> => {
  layOut(config => {
    // The water stays: a model that shows the rise once and then the flood for ever.
    config.cameras[0]!.analytics[0]!.endDwellSeconds = 3600
  })
  const first = await startAgent()
  await vi.waitFor(() => expect(events()).toHaveLength(1), soon)
  await stopAgent(first)
}
const events = () =>
  [...central.committed.values()].flatMap(row => (row.type === 'event.v1' ? [row as EventEnvelope] : []))
const health = () =>
  [...central.committed.values()].flatMap(row => (row.type === 'camera-health.v1' ? [row as CameraHealthEnvelope] : []))
const cameras = (): Record<string, unknown>[] => (parseDocument(readConfig()).toJS() as SiteConfig).cameras
const readConfig = () => String(parseDocument(readFileSync(site.configFile, 'utf8')))

describe('an agent with one camera', () => {
  it('delivers the flood with its picture, and central’s ack empties the outbox', async () => {
    layOut()
    const agent = await startAgent()
    await vi.waitFor(
      () => expect(events().map(({ data }) => data.phase)).toEqual(expect.arrayContaining(['began', 'ended'])),
      soon,
    )
    const began = events()[0]!
    expect(began).toMatchObject({
      source: '/sites/an-cuu/cameras/le-loi-1',
      data: { kind: 'flood-level', phase: 'began', level: 'deep', model: { id: 'scripted-water', version: '1.0.0' } },
    })
    const [picture] = began.data.evidence
    await vi.waitFor(() => expect(desk.pictures.has(picture!.sha256)).toBe(true), soon)
    const bytes = desk.pictures.get(picture!.sha256)!
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(picture!.sha256)
    expect(central.received).toEqual(central.received.toSorted((a, b) => a - b))
    await stopAgent(agent)
    const { status } = inspectSqliteOutbox(join(site.folder, 'data/outbox.db'), 10)
    expect(status.appended).toBe(status.acked + status.deadLetters + status.thinned + status.size)
    expect(central.committed.size).toBeGreaterThanOrEqual(status.acked)
    await vi.waitFor(() => expect(central.states.at(-1)).toMatchObject({ status: 'offline' }), soon)
  })

  it('does not begin the same flood twice when it is restarted in the middle of it', async () => {
    await stopInFlood()
    await startAgent()
    const before = central.received.length
    await vi.waitFor(() => expect(central.received.length).toBeGreaterThan(before + 12), soon)
    expect(events().filter(({ data }) => data.phase === 'began')).toHaveLength(1)
  })

  it('ends what a camera left open that is watched no more', async () => {
    await stopInFlood()
    const { happeningId } = events()[0]!.data
    writeFileSync(site.configFile, readFileSync(site.configFile, 'utf8').replaceAll('le-loi-1', 'ba-trieu'))
    const second = await startAgent()
    const phases = () => events().flatMap(({ data }) => (data.happeningId === happeningId ? [data.phase] : []))
    await vi.waitFor(() => expect(phases().at(-1)).toBe('ended'), soon)
    await stopAgent(second)
    await startAgent()
    const before = central.received.length
    await vi.waitFor(() => expect(central.received.length).toBeGreaterThan(before + 2), soon)
    expect(phases().filter(phase => phase === 'ended')).toHaveLength(1)
  })

  it('leaves open what a camera of settings left open that cannot be taken now', async () => {
    await stopInFlood()
    writeFileSync(site.configFile, readFileSync(site.configFile, 'utf8').replaceAll('le-loi-1', 'ba-trieu'))
    await startAgent([{ path: 'cameras[0]', message: 'cannot be taken now' }])
    const before = central.received.length
    await vi.waitFor(() => expect(central.received.length).toBeGreaterThan(before + 2), soon)
    expect(events().filter(({ data }) => data.phase === 'ended')).toEqual([])
  })

  it('sends pictures that an earlier run could not', async () => {
    layOut(config => {
      config.evidence = { url: 'http://127.0.0.1:9' }
    })
    const first = await startAgent()
    await vi.waitFor(() => expect(events().length).toBeGreaterThan(0), soon)
    const [picture] = events()[0]!.data.evidence
    await stopAgent(first)
    expect(desk.pictures.size).toBe(0)
    const text = readFileSync(site.configFile, 'utf8').replace('http://127.0.0.1:9', `http://127.0.0.1:${desk.port}`)
    writeFileSync(site.configFile, text)
    await startAgent()
    await vi.waitFor(() => expect(desk.pictures.has(picture!.sha256)).toBe(true), soon)
  })

  it('takes a snapshot on command, and says why it cannot', async () => {
    layOut()
    const agent = await startAgent()
    await vi.waitFor(async () => expect((await agent.look()).cameras[0]?.condition).toBe('ok'), soon)
    const command = (last: number) => ({
      commandId: `019a2f3c-5b7e-7c11-9d0a-0c3f5a1b2c3${last}`,
      at: new Date().toISOString(),
    })
    await central.command('snapshot', { ...command(1), cameraId: 'le-loi-1' })
    await central.command('snapshot', { ...command(2), cameraId: 'nowhere' })
    await vi.waitFor(() => expect(central.replies).toHaveLength(2), soon)
    // The refusal may well be the faster one.
    const [good, bad] = (
      central.replies as {
        ok: boolean
        result?: { sha256: string; width: number }
        problem?: { detail: string }
      }[]
    ).toSorted((a, b) => Number(b.ok) - Number(a.ok))
    expect(good).toMatchObject({ ok: true, result: { width: 160, cameraId: 'le-loi-1' } })
    await vi.waitFor(() => expect(desk.pictures.has(good!.result!.sha256)).toBe(true), soon)
    expect(bad).toMatchObject({ ok: false, problem: { detail: expect.stringContaining('this agent has le-loi-1') } })
  })

  it('drains on command until central has everything, and goes on after a reload', async () => {
    layOut()
    const agent = await startAgent()
    await vi.waitFor(() => expect(central.received.length).toBeGreaterThan(2), soon)
    const command = (last: number) => ({
      commandId: `019a2f3c-5b7e-7c11-9d0a-0c3f5a1b2c3${last}`,
      at: new Date().toISOString(),
    })
    await central.command('drain', command(1))
    await vi.waitFor(() => expect(central.replies).toMatchObject([{ ok: true, result: { waiting: 0 } }]), soon)
    const { outbox } = await agent.look()
    expect(outbox).toMatchObject({ size: 0, lastSeq: central.received.length })
    await central.command('reload', command(2))
    await vi.waitFor(
      () => expect(central.replies[1]).toMatchObject({ ok: true, result: { needsRestart: false } }),
      soon,
    )
    await vi.waitFor(async () => expect((await agent.look()).outbox.lastSeq).toBeGreaterThan(outbox.lastSeq + 2), soon)
  })

  it('shows itself on its status page', async () => {
    layOut()
    const agent = await startAgent()
    await vi.waitFor(async () => expect((await agent.look()).cameras[0]?.condition).toBe('ok'), soon)
    const { port } = agent.statusAddress()!
    const get = async (path: string) => (await fetch(`http://127.0.0.1:${port}${path}`)).text()
    expect(await get('/')).toContain('Lê Lợi 1')
    expect(await get('/metrics')).toContain('watchpost_edge_camera_up{camera="le-loi-1"} 1')
    expect(JSON.parse(await get('/healthz')).status).toBe('ok')
  })
})

describe('an agent with a bad neighbour', () => {
  it('reports the camera that is no video with what to do, and the other one goes on', async () => {
    layOut(config => {
      config.cameras.push({
        ...structuredClone(config.cameras[0]!),
        id: 'broken',
        source: { kind: 'file', path: 'notes.mp4', loop: true },
      })
    })
    writeFileSync(join(site.folder, 'notes.mp4'), 'notes, not pictures\n'.repeat(200))
    const agent = await startAgent()
    await vi.waitFor(() => expect(health()).toHaveLength(1), soon)
    expect(health()[0]).toMatchObject({
      source: '/sites/an-cuu/cameras/broken',
      data: { condition: 'not-a-video', phase: 'began' },
    })
    expect(health()[0]?.data.hint).not.toBe('')
    await vi.waitFor(() => expect(events().length).toBeGreaterThan(0), soon)
    expect(events().every(({ source }) => source.endsWith('le-loi-1'))).toBe(true)
    const { cameras: shown } = await agent.look()
    expect(shown.map(({ cameraId, condition }) => [cameraId, condition])).toEqual([
      ['le-loi-1', 'ok'],
      ['broken', 'not-a-video'],
    ])
  })
})

describe('the config twin of a running agent', () => {
  const desired = (version: number, wanted: unknown) => ({
    version,
    at: new Date().toISOString(),
    config: { cameras: wanted },
  })

  it('replaces the cameras without losing the outbox, refuses bad settings, and keeps the last good ones over a restart', async () => {
    layOut()
    const agent = await startAgent()
    await vi.waitFor(() => expect(central.received.length).toBeGreaterThan(1), soon)
    const renamed = cameras().map(camera => ({ ...camera, id: 'ba-trieu', name: 'Bà Triệu' }))
    await central.publish('desired', desired(1, renamed))
    const reported = () =>
      central.reported.at(-1) as { version: number; cameras: { cameraId: string }[]; errors: { path: string }[] }
    await vi.waitFor(() => expect(reported().version).toBe(1), soon)
    expect(reported().cameras.map(camera => camera.cameraId)).toEqual(['ba-trieu'])
    await vi.waitFor(
      () => expect([...central.committed.values()].some(row => row.source.endsWith('/ba-trieu'))).toBe(true),
      soon,
    )

    await central.publish(
      'desired',
      desired(
        2,
        renamed.map(camera => ({ ...camera, source: { kind: 'file', path: 'none.mp4' } })),
      ),
    )
    await vi.waitFor(() => expect(reported().errors.map(error => error.path)).toEqual(['cameras[0].source.path']), soon)
    expect(reported().version).toBe(1)

    await stopAgent(agent)
    const again = await startAgent()
    expect((await again.look()).cameras.map(camera => camera.cameraId)).toEqual(['ba-trieu'])
    const epochs = new Set([...central.committed.values()].map(row => row.epoch))
    expect(epochs.size).toBe(1)
  })

  it('puts the old cameras back when the new settings cannot be started', async () => {
    layOut()
    const agent = await startAgent()
    const levels = [
      { name: 'a', cm: 10, severity: 'minor' },
      { name: 'b', cm: 20, severity: 'major' },
    ]
    writeFileSync(join(site.folder, 'models/water/script.json'), '{"steps":[{"at":0}]}')
    const wanted = cameras().map(camera => ({
      ...camera,
      analytics: (camera.analytics as object[]).map(analytic => ({ ...analytic, levels })),
    }))
    await central.publish('desired', desired(1, wanted))
    await vi.waitFor(
      () =>
        expect(central.reported.at(-1)).toMatchObject({
          version: 0,
          errors: [{ message: expect.stringContaining('sha256') }],
        }),
      soon,
    )
    const before = central.received.length
    await vi.waitFor(() => expect(central.received.length).toBeGreaterThan(before + 2), soon)
    expect((await agent.look()).configErrors).not.toEqual([])
  })
})

describe('an agent that cannot start', () => {
  it('says which model package is refused, and touches no camera', async () => {
    layOut()
    writeFileSync(join(site.folder, 'models/water/script.json'), '{"steps":[{"at":0}]}')
    await expect(startAgent()).rejects.toThrow(/sha256/)
    agents.length = 0
    // The outbox was let go of: another attempt is not refused as a second agent.
    await expect(startAgent()).rejects.toThrow(/sha256/)
    agents.length = 0
  })
})

describe('an agent with a promoted model', () => {
  const digest = 'a'.repeat(64)
  const path = (name: string) => join(site.folder, name)
  const state = () => JSON.parse(readFileSync(path('data/model-rollout.json'), 'utf8')).slots.water as object
  const copyOfWater = (folder: string, version: string): void => {
    cpSync(path('models/water'), folder, { recursive: true })
    const manifest = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')) as object
    writeFileSync(join(folder, 'manifest.json'), JSON.stringify({ ...manifest, version }))
  }
  /** As an earlier run left it. */
  const layOutPromoted = (): void => {
    layOut()
    copyOfWater(path(`data/packages/${digest}`), '2.0.0')
    const water = { configuredPath: path('models/water'), active: digest, previous: { digest: null } }
    const slots = { water: { ...water, candidate: null, probation: null, last: null, wish: null } }
    writeFileSync(path('data/model-rollout.json'), JSON.stringify({ version: 1, slots }))
  }
  const change = (edit: (config: SiteConfig) => void): void => {
    const config = parseDocument(readFileSync(site.configFile, 'utf8')).toJS() as SiteConfig
    edit(config)
    writeFileSync(site.configFile, JSON.stringify(config))
  }
  const model = () => (central.reported.at(-1) as { models: object[] } | undefined)?.models[0]
  let commands = 0
  const reload = async (): Promise<unknown> => {
    const commandId = `019a2f3c-5b7e-7c11-9d0a-0c3f5a1b2d${String(++commands).padStart(2, '0')}`
    const before = central.replies.length
    await central.command('reload', { commandId, at: new Date().toISOString() })
    await vi.waitFor(() => expect(central.replies.length).toBeGreaterThan(before), soon)
    return central.replies.at(-1)
  }

  it('keeps it when a reload names a package that is refused, and lets go of it when one runs', async () => {
    layOutPromoted()
    const before = state()
    const agent = await startAgent()
    await vi.waitFor(() => expect(model()).toMatchObject({ version: '2.0.0', digest }), soon)
    copyOfWater(path('models/other'), '1.5.0')
    writeFileSync(path('models/other/script.json'), '{"steps":[]}')
    change(config => {
      config.models[0]!.path = path('models/other')
    })
    expect(await reload()).toMatchObject({ ok: false, problem: { detail: expect.stringContaining('sha256') } })
    expect(state()).toEqual(before)
    expect(existsSync(path(`data/packages/${digest}/manifest.json`))).toBe(true)

    copyOfWater(path('models/other'), '1.5.0')
    expect(await reload()).toMatchObject({ ok: true })
    await vi.waitFor(() => expect(model()).toMatchObject({ version: '1.5.0', digest: null }), soon)
    expect(state()).toMatchObject({ active: null, last: { what: 'stopped', digest } })
    await stopAgent(agent)
  })

  it('keeps it when the agent cannot start for keys that are not readable, and runs it when they are', async () => {
    layOutPromoted()
    const before = state()
    const keys = path('release.pub')
    writeFileSync(keys, 'half a k')
    change(config => {
      config.trustedKeys = [keys]
      config.requireSignatures = true
    })
    await expect(startAgent()).rejects.toThrow('no Ed25519 public key')
    agents.splice(0)
    expect(state()).toEqual(before)
    change(config => {
      delete config.trustedKeys
      delete config.requireSignatures
    })
    const agent = await startAgent()
    await vi.waitFor(() => expect(model()).toMatchObject({ version: '2.0.0', digest }), soon)
    await stopAgent(agent)
  })

  it('runs the configured package when the promoted one does not start, and notes it then', async () => {
    layOutPromoted()
    // It opens, and its session fails.
    const script = '{"clock":"frame","steps":[]}'
    const folder = path(`data/packages/${digest}`)
    writeFileSync(join(folder, 'script.json'), script)
    const manifest = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')) as { weights: object }
    const sha256 = createHash('sha256').update(script).digest('hex')
    const weights = { ...manifest.weights, sha256, bytes: script.length }
    writeFileSync(join(folder, 'manifest.json'), JSON.stringify({ ...manifest, weights }))
    const agent = await startAgent()
    await vi.waitFor(() => expect(model()).toMatchObject({ version: '1.0.0', digest: null }), soon)
    expect(state()).toMatchObject({ active: null, last: { what: 'rolled-back', digest } })
    await stopAgent(agent)
  })
})
