import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AgentModelView, ModelView } from '@watchpost/shared/api/models'
import type { LightMyRequestResponse } from 'fastify'
import { pino } from 'pino'
import { expect } from 'vitest'
import { openSqliteUsers } from '../../central/api/ioc/sqlite/user-store.js'
import { createUsers } from '../../central/api/ioc/users.js'
import { dataFiles } from '../../central/config/data-files.js'
import { loadCentralConfig } from '../../central/config/load-central-config.js'
import { City } from '../../central/registry/city.js'
import { buildService, defaultAdapters } from '../../central/service.js'
import { packFolder } from '../../edge/inference/package-archive-file.js'
import { greyPng, gridManifest } from '../edge/inference/packages.js'
import { freePort } from '../helpers/free-port.js'
import { type HttpLink, openHttpLink } from '../helpers/http-link.js'
import { smallCity } from '../helpers/small-city.js'
import { makeSite, type ScriptedSite } from './scripted-site.js'

const silent = pino({ level: 'silent' })
export const soon = { timeout: 180_000, interval: 200 }

const rows = 32
const columns = 64
/** Outputs of the scripted water model. */
export const wetBelow = (row: number) => ({
  water: { patches: [{ from: [0, 0, row, 0], to: [1, 1, rows, columns], value: 1 }] },
})

export interface RolloutSite {
  /** Of the agent, which the test starts; its way to central's packages and pictures is `link`. */
  readonly site: ScriptedSite
  readonly link: HttpLink
  api(method: 'GET' | 'POST' | 'PUT', path: string, body?: Buffer | object): Promise<LightMyRequestResponse>
  /** The water model as central knows it from the agent. */
  model(): Promise<AgentModelView | undefined>
  rollOut(body: object): Promise<void>
  /** A package of the scripted water model, packed and uploaded; its digest. `script` is merged into its script, the rest into its manifest. */
  upload(
    version: string,
    steps: readonly object[],
    change?: { readonly script?: object } & Record<string, unknown>,
  ): Promise<string>
  close(): Promise<void>
}

/** Real central with its embedded broker, and the configuration of an agent whose model follows a script. */
export const openRolloutSite = async (): Promise<RolloutSite> => {
  const directory = mkdtempSync(join(tmpdir(), 'rollout-'))
  const [http, broker] = [await freePort(), await freePort()]
  writeFileSync(join(directory, 'city.yaml'), smallCity('an-cuu-1'))
  const users = createUsers({
    store: openSqliteUsers({ file: dataFiles(join(directory, 'data')).users }),
    clock: Date.now,
  })
  await users.add({ name: 'engineer', role: 'engineer', wardId: null, password: 'a long password' })
  const token = (await users.renewApiToken('engineer'))!
  await users.close()
  const text = `version: 1\ndataDir: data\ncity: city.yaml\nbroker: { mode: embedded, port: ${broker} }\nhttp: { port: ${http} }\n`
  writeFileSync(join(directory, 'central.yaml'), text)
  const loaded = loadCentralConfig(join(directory, 'central.yaml'), City)
  const onFatal = (reason: Error) => {
    throw reason
  }
  const service = await buildService(loaded, defaultAdapters(loaded, { log: silent, onFatal }))
  await service.start()
  const link = await openHttpLink(http)
  const site = makeSite({ brokerPort: broker, evidencePort: link.port })

  const api: RolloutSite['api'] = (method, path, body) =>
    service.app.inject({
      method,
      url: `/api/v1${path}`,
      headers: {
        authorization: `Bearer ${token}`,
        ...(Buffer.isBuffer(body) ? { 'content-type': 'application/octet-stream' } : {}),
      },
      ...(body === undefined ? {} : { payload: body }),
    })
  return {
    site,
    link,
    api,
    async model() {
      const { items } = (await api('GET', '/models')).json() as { items: ModelView[] }
      return items.find(({ id }) => id === 'water')?.agents[0]
    },
    async rollOut(body) {
      expect((await api('POST', '/models/water/rollout', body)).body).toContain('accepted')
    },
    async upload(version, steps, { script = {}, ...change } = {}) {
      const folder = join(directory, `package-${version}`)
      const weights = JSON.stringify({ clock: 'frame', steps, ...script })
      mkdirSync(join(folder, 'golden'), { recursive: true })
      writeFileSync(join(folder, 'script.json'), weights)
      if (change.golden) {
        writeFileSync(join(folder, 'golden/grey.png'), greyPng)
        const water = { shape: [1, 1, rows, columns], values: new Array(rows * columns).fill(0) }
        writeFileSync(join(folder, 'golden/grey.json'), JSON.stringify({ outputs: { water } }))
      } else rmSync(join(folder, 'golden'), { recursive: true })
      const manifest = {
        ...gridManifest(weights),
        id: 'scripted-water',
        version,
        task: 'water-segmentation',
        runtime: 'scripted',
        decoder: { name: 'segmentation' },
        weights: {
          path: 'script.json',
          sha256: createHash('sha256').update(weights).digest('hex'),
          bytes: weights.length,
        },
        input: { ...(gridManifest(weights).input as object), width: columns, height: rows },
        outputs: [{ name: 'water', shape: [1, 1, rows, columns] }],
        labels: ['water'],
        ...change,
      }
      writeFileSync(join(folder, 'manifest.json'), JSON.stringify(manifest))
      const { archive, sha256 } = await packFolder(folder)
      const reply = await api('PUT', `/models/packages/${sha256}`, Buffer.from(archive))
      expect(reply.statusCode).toBe(201)
      return sha256
    },
    async close() {
      await link.close()
      await service.stop()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}
