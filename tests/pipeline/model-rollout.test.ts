import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AgentModelView, ModelView } from '@watchpost/shared/api/models'
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { openSqliteUsers } from '../../central/api/ioc/sqlite/user-store.js'
import { createUsers } from '../../central/api/ioc/users.js'
import { dataFiles } from '../../central/config/data-files.js'
import { loadCentralConfig } from '../../central/config/load-central-config.js'
import { City } from '../../central/registry/city.js'
import { buildService, defaultAdapters, type Service } from '../../central/service.js'
import { type Agent, buildAgent, openAdapters } from '../../edge/agent.js'
import { loadWithDesired } from '../../edge/config/load-with-desired.js'
import { packFolder } from '../../edge/inference/package-archive-file.js'
import { gridManifest } from '../edge/inference/packages.js'
import { freePort } from '../helpers/free-port.js'
import { makeSite, type ScriptedSite } from './scripted-site.js'

// Real central, real embedded broker, real agent with ffmpeg and worker threads; only the models follow a script.
// Every wait has its own limit; those of the tests only end what hangs.
vi.setConfig({ testTimeout: 600_000, hookTimeout: 300_000 })
const soon = { timeout: 90_000, interval: 200 }
const silent = pino({ level: 'silent' })

const city = `
version: 1
name: { vi: Huế, en: Hue }
centre: [107.59, 16.46]
wards:
  - { id: thuan-hoa, name: { vi: Thuận Hóa, en: Thuan Hoa }, polygon: [[107.5, 16.4], [107.7, 16.4], [107.7, 16.5], [107.5, 16.5], [107.5, 16.4]] }
sites:
  - id: an-cuu
    name: { vi: An Cựu, en: An Cuu }
    agents: [an-cuu-1]
    cameras: [{ id: le-loi-1, name: { vi: Lê Lợi, en: Le Loi }, location: [107.59, 16.46] }]
hotspots: []
`
let directory: string
let service: Service
let site: ScriptedSite
let agent: Agent
let token: string
let http = 0
let broker = 0

const startCentral = async (): Promise<void> => {
  const text = `version: 1\ndataDir: data\ncity: city.yaml\nbroker: { mode: embedded, port: ${broker} }\nhttp: { port: ${http} }\n`
  writeFileSync(join(directory, 'central.yaml'), text)
  const loaded = loadCentralConfig(join(directory, 'central.yaml'), City)
  const onFatal = (reason: Error) => {
    throw reason
  }
  service = await buildService(loaded, defaultAdapters(loaded, { log: silent, onFatal }))
  await service.start()
}
const startAgent = async (): Promise<void> => {
  const running = loadWithDesired(site.configFile)
  agent = buildAgent(running, await openAdapters(running.loaded, silent), { log: silent, version: '0.1.0' })
  await agent.start()
}

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'rollout-'))
  writeFileSync(join(directory, 'city.yaml'), city)
  http = await freePort()
  broker = await freePort()
  const users = createUsers({
    store: openSqliteUsers({ file: dataFiles(join(directory, 'data')).users }),
    clock: Date.now,
  })
  await users.add({ name: 'engineer', role: 'engineer', wardId: null, password: 'a long password' })
  token = (await users.renewApiToken('engineer'))!
  await users.close()
  await startCentral()
  site = makeSite({ brokerPort: broker, evidencePort: http })
  await startAgent()
  await vi.waitFor(async () => expect(await model()).toMatchObject({ version: '1.0.0', digest: null }), soon)
})
afterAll(async () => {
  await agent?.stop()
  await service?.stop()
  rmSync(directory, { recursive: true, force: true })
})

const api = (method: 'GET' | 'POST' | 'PUT', path: string, body?: Buffer | object) =>
  service.app.inject({
    method,
    url: `/api/v1${path}`,
    headers: {
      authorization: `Bearer ${token}`,
      ...(Buffer.isBuffer(body) ? { 'content-type': 'application/octet-stream' } : {}),
    },
    ...(body === undefined ? {} : { payload: body }),
  })
const model = async (): Promise<AgentModelView | undefined> => {
  const { items } = (await api('GET', '/models')).json() as { items: ModelView[] }
  return items.find(({ id }) => id === 'water')?.agents[0]
}
/** What the agent itself says; with no candidate there is nothing that the command ends. */
const standing = async (): Promise<unknown> => {
  const question = { name: 'model', model: { action: 'stop-shadow', id: 'water' } }
  return (await api('POST', '/agents/an-cuu-1/commands', question)).json().result?.model
}
const rollOut = async (body: object) => {
  const reply = await api('POST', '/models/water/rollout', body)
  expect(reply.body).toContain('accepted')
}

const rows = 32
const columns = 64
const wetBelow = (row: number) => ({
  water: { patches: [{ from: [0, 0, row, 0], to: [1, 1, rows, columns], value: 1 }] },
})

/** A package of the scripted water model, packed and uploaded; its digest. */
const upload = async (
  version: string,
  steps: readonly object[],
  { clock = 'frame', ...change }: { readonly clock?: 'frame' | 'run' } & Record<string, unknown> = {},
): Promise<string> => {
  const folder = join(directory, `package-${version}`)
  const script = JSON.stringify({ clock, steps })
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'script.json'), script)
  const weights = {
    path: 'script.json',
    sha256: createHash('sha256').update(script).digest('hex'),
    bytes: script.length,
  }
  const manifest = {
    ...gridManifest(script),
    id: 'scripted-water',
    version,
    task: 'water-segmentation',
    runtime: 'scripted',
    decoder: { name: 'segmentation' },
    weights,
    input: { ...(gridManifest(script).input as object), width: columns, height: rows },
    outputs: [{ name: 'water', shape: [1, 1, rows, columns] }],
    labels: ['water'],
    ...change,
  }
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify(manifest))
  const { archive, sha256 } = await packFolder(folder)
  const reply = await api('PUT', `/models/packages/${sha256}`, Buffer.from(archive))
  expect(reply.statusCode).toBe(201)
  return sha256
}

describe('a model on a running agent', () => {
  it('is fetched, compared in shadow, promoted and rolled back from central', async () => {
    const digest = await upload('2.0.0', [{ at: 0, outputs: wetBelow(16) }])
    await rollOut({ mode: 'shadow', digest, cameras: ['le-loi-1'], cpuShare: 0.5 })
    await vi.waitFor(
      async () => expect(await model()).toMatchObject({ candidate: { phase: 'shadowing', digest } }),
      soon,
    )
    expect(await model()).toMatchObject({ version: '1.0.0', digest: null })
    const report = async () => (await api('GET', '/models/water/shadow')).json().items[0]?.report
    await vi.waitFor(async () => expect((await report())?.frames.compared).toBeGreaterThan(10), soon)
    // The picture of a disagreement is made beside the count, and reports come every half minute.
    await vi.waitFor(async () => expect((await report())?.disagreements[0]?.thumbnail).toMatch(/^[0-9a-f]{64}$/), soon)
    const seen = await report()
    expect(seen).toMatchObject({
      unit: 'pixels',
      active: { version: '1.0.0' },
      candidate: { version: '2.0.0', digest },
    })
    // The street is dry most of the time, the candidate always sees water in the lower half.
    expect(seen.classes).toMatchObject([{ label: 'water', onlyActive: 0, onlyCandidate: expect.any(Number) }])
    expect(seen.classes[0].onlyCandidate).toBeGreaterThan(0)
    const { thumbnail } = seen.disagreements[0]
    await vi.waitFor(async () => expect((await api('GET', `/evidence/${thumbnail}`)).statusCode).toBe(200), soon)

    await rollOut({ mode: 'active', digest, guard: { probationSeconds: 3600 } })
    await vi.waitFor(
      async () => expect(await model()).toMatchObject({ version: '2.0.0', digest, previous: { digest: null } }),
      soon,
    )
    await vi.waitFor(
      async () => expect(await model()).toMatchObject({ candidate: null, last: { what: 'promoted' } }),
      soon,
    )
    expect(Date.parse((await model())!.probationUntil!)).toBeGreaterThan(Date.now() + 3_000_000)

    await agent.stop()
    await startAgent()
    // Asked itself: central's word of it may be from before the restart.
    await vi.waitFor(async () => expect(await standing()).toMatchObject({ version: '2.0.0', digest }), soon)

    await rollOut({ mode: 'rollback' })
    await vi.waitFor(async () => expect(await model()).toMatchObject({ version: '1.0.0', digest: null }), soon)
    expect((await api('GET', '/models/audit')).body).toContain('wish rollback')
  })

  it('goes back by itself when it cannot judge frames, and says why', async () => {
    // Each session fails from its twentieth run on: long after the warm-up, whatever frame that was made with.
    const digest = await upload(
      '2.1.0',
      [
        { at: 0, outputs: wetBelow(16) },
        { at: 20, outputs: {}, fault: 'throw' },
      ],
      { clock: 'run' },
    )
    await rollOut({ mode: 'active', digest, guard: { failures: 3 } })
    await vi.waitFor(
      async () => expect(await model()).toMatchObject({ version: '1.0.0', last: { what: 'rolled-back', digest } }),
      soon,
    )
    expect((await model())?.last?.reason).toContain('3 frames could not be judged')
  })

  it('refuses what cannot be, each with its reason, and the active one goes on', async () => {
    const refused = async (digest: string, reason: RegExp | string) =>
      vi.waitFor(
        async () =>
          expect(await model()).toMatchObject({
            version: '1.0.0',
            last: { what: 'refused', digest, reason: expect.stringMatching(reason) },
          }),
        soon,
      )
    const misfit = await upload('3.0.0', [{ at: 0, outputs: {} }], { decoder: { name: 'grid' } })
    await rollOut({ mode: 'shadow', digest: misfit })
    await refused(misfit, 'flood-level reads mask')
    const other = await upload('3.1.0', [{ at: 0, outputs: {} }], { labels: ['mud'] })
    await rollOut({ mode: 'shadow', digest: other })
    await refused(other, 'does not know water')
    // What central does not have, and a camera nobody knows, as an engineer could set them by hand.
    const nowhere = 'd'.repeat(64)
    await api('PUT', '/agents/an-cuu-1/desired', { models: [{ id: 'water', mode: 'shadow', digest: nowhere }] })
    await refused(nowhere, 'Central has no package')
    const wish = { id: 'water', mode: 'shadow', digest: other, cameras: ['nowhere'] }
    await api('PUT', '/agents/an-cuu-1/desired', { models: [wish, { ...wish, id: 'fire' }] })
    await vi.waitFor(
      async () =>
        expect((await model())?.problems).toEqual([
          expect.stringContaining('nowhere does not use the model "water"'),
          expect.stringContaining('No camera of this agent uses a model "fire"'),
        ]),
      soon,
    )
    const command = await api('POST', '/agents/an-cuu-1/commands', {
      name: 'model',
      model: { action: 'promote', id: 'water', digest: nowhere },
    })
    expect(command.json()).toMatchObject({
      ok: false,
      problem: { detail: expect.stringContaining('was never loaded') },
    })
  })
})
