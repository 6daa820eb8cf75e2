import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { stringify } from 'yaml'
import { freePort } from '../simulated-city/free-port.js'
import type { ProcessSpec } from '../simulated-city/supervisor.js'
import { analyticsOf, modelOf, type Task, tasksOf } from './analytics-of.js'
import type { Batch } from './batches.js'
import { cityOf } from './city-of.js'
import type { Scene } from './scenes.js'

export interface LaidOutBatch {
  readonly logDir: string
  readonly centralUrl: string
  readonly user: { readonly name: string; readonly password: string }
  readonly central: ProcessSpec
  readonly agents: readonly LaidOutAgent[]
}

export interface LaidOutAgent {
  readonly id: string
  readonly scenes: readonly Scene[]
  readonly configFile: string
  readonly metricsUrl: string
  readonly process: ProcessSpec
}

export interface LayOutOptions {
  /** Of the repository. */
  readonly root: string
  /** Emptied first. */
  readonly folder: string
  readonly batch: Batch
  /** RTSP address of a scene. */
  readonly streamOf: (scene: string) => string
  /** Packages to use in place of the repository's, model id → folder. */
  readonly models: ReadonlyMap<string, string>
}

/** Configuration, secrets and a user for one central and up to two agents: vehicles must not keep slow cameras waiting. */
export const layOutBatch = async ({ root, folder, batch, streamOf, models }: LayOutOptions): Promise<LaidOutBatch> => {
  const logDir = join(folder, 'logs')
  rmSync(folder, { recursive: true, force: true })
  for (const path of [logDir, join(folder, 'secrets')]) mkdirSync(path, { recursive: true, mode: 0o700 })
  const write = (path: string, text: string): void => writeFileSync(join(folder, path), text, { mode: 0o600 })
  const port = { mqtt: await freePort(0), http: await freePort(0) }
  const sites = sitesOf(batch).map(site => ({ ...site, mqtt: secret(), token: secret() }))

  write('secrets/broker-credentials', sites.map(({ agent, mqtt }) => `${agent}:${mqtt}\n`).join(''))
  write('secrets/evidence-tokens', sites.map(({ agent, token }) => `${agent}:${token}\n`).join(''))
  write('city.yaml', stringify(cityOf(sites)))
  write(
    'central.yaml',
    stringify({
      version: 1,
      dataDir: 'data/central',
      city: 'city.yaml',
      broker: { mode: 'embedded', port: port.mqtt, credentialsFile: 'secrets/broker-credentials' },
      http: { port: port.http },
      evidence: { tokensFile: 'secrets/evidence-tokens' },
    }),
  )
  const agents: LaidOutAgent[] = []
  for (const { id, agent, scenes, mqtt, token } of sites) {
    const statusPort = await freePort(0)
    write(`secrets/${agent}.mqtt`, mqtt)
    write(`secrets/${agent}.token`, token)
    const configFile = join(folder, `${agent}.yaml`)
    write(
      `${agent}.yaml`,
      stringify({
        version: 1,
        site: id,
        agent,
        dataDir: `data/${agent}`,
        mqtt: { url: `mqtt://127.0.0.1:${port.mqtt}`, username: agent, passwordFile: `secrets/${agent}.mqtt` },
        evidence: { url: `http://127.0.0.1:${port.http}`, tokenFile: `secrets/${agent}.token` },
        status: { port: statusPort },
        models: modelsOf(scenes, root, models),
        modelCacheDir: join(root, '.cache/models'),
        cameras: scenes.map(scene => cameraOf(scene, streamOf(scene.name))),
      }),
    )
    agents.push({
      id: agent,
      scenes,
      configFile,
      metricsUrl: `http://127.0.0.1:${statusPort}/metrics`,
      process: node(agent, join(root, 'edge/bin/watchpost-edge.js'), configFile),
    })
  }

  const user = { name: 'score', password: secret() }
  const centralMain = join(root, 'central/bin/watchpost-central.js')
  const central = node('central', centralMain, join(folder, 'central.yaml'))
  await promisify(execFile)(
    process.execPath,
    [centralMain, 'user', 'add', '--config', join(folder, 'central.yaml'), '--name', user.name, '--role', 'admin'],
    { env: { ...process.env, WATCHPOST_PASSWORD: user.password } },
  )
  return { logDir, centralUrl: `http://127.0.0.1:${port.http}`, user, central, agents }
}

const secret = (): string => randomBytes(18).toString('base64url')

const node = (name: string, main: string, config: string): ProcessSpec => ({
  name,
  command: process.execPath,
  args: [main, 'run', '--config', config],
})

const sitesOf = (batch: Batch) =>
  [
    { id: 'roads', scenes: batch.filter(({ truth }) => tasksOf(truth).includes('traffic')) },
    { id: 'waters-and-woods', scenes: batch.filter(({ truth }) => !tasksOf(truth).includes('traffic')) },
  ]
    .filter(({ scenes }) => scenes.length > 0)
    .map(site => ({ ...site, agent: `${site.id}-1` }))

/** Entries of the agent's `models:`; `others`: packages in place of the repository's, model id → folder. */
export const modelsOf = (scenes: readonly Scene[], root: string, others: ReadonlyMap<string, string>) => {
  const tasks = new Set<Task>(scenes.flatMap(({ truth }) => tasksOf(truth)))
  const pathOf = (id: string) => others.get(id) ?? join(root, 'models', id)
  return [...tasks].map(task => ({ id: modelOf[task], path: pathOf(modelOf[task]) }))
}

/** An entry of the agent's `cameras:`. */
export const cameraOf = ({ name, truth }: Scene, url: string) => ({
  id: name,
  name,
  source: { kind: 'rtsp', url },
  location: truth.camera.location,
  ...(truth.camera.bearingDeg === undefined ? {} : { bearingDeg: truth.camera.bearingDeg }),
  ...(truth.camera.fieldOfViewDeg === undefined ? {} : { fieldOfViewDeg: truth.camera.fieldOfViewDeg }),
  analytics: analyticsOf(truth),
})
