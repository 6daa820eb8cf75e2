import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { parseDocument } from 'yaml'
import { freePort } from './free-port.js'
import type { ProcessSpec } from './supervisor.js'

export interface City {
  readonly folder: string
  readonly logDir: string
  readonly consoleUrl: string
  readonly statusPages: readonly string[]
  readonly streams: readonly string[]
  /** Where the cameras tell what they show, and take faults. */
  readonly camerasUrl: string
  readonly user: { readonly name: string; readonly password: string }
  readonly processes: {
    readonly cameras: ProcessSpec
    readonly central: ProcessSpec
    readonly agents: readonly ProcessSpec[]
  }
  /** Resolves when the RTSP server accepts connections. */
  streamsReady(): Promise<void>
}

/** Agent id and the scene its camera shows. */
const agents = [
  { id: 'an-cuu-1', file: 'agent-an-cuu.yaml', scene: 'flood-street' },
  { id: 'thuan-hoa-1', file: 'agent-thuan-hoa.yaml', scene: 'junction' },
] as const
const camera = { user: 'viewer', passwordFile: 'secrets/camera-password' }

/** Writes configuration, secrets and a first user under `.demo/`, which is emptied first. */
export const layOutCity = async (root: string): Promise<City> => {
  const folder = join(root, '.demo')
  const logDir = join(folder, 'logs')
  rmSync(folder, { recursive: true, force: true })
  for (const path of [logDir, join(folder, 'secrets')]) mkdirSync(path, { recursive: true, mode: 0o700 })
  const sources = join(root, 'scripts/simulated-city')
  for (const file of readdirSync(sources)) if (file.endsWith('.yaml')) cpSync(join(sources, file), join(folder, file))

  const ports = {
    rtsp: await freePort(8554),
    mqtt: await freePort(1883),
    http: await freePort(8080),
    control: await freePort(8555),
  }
  const secret = (): string => randomBytes(18).toString('base64url')
  const write = (path: string, text: string): void => writeFileSync(join(folder, path), text, { mode: 0o600 })
  const secrets = agents.map(({ id }) => ({ id, mqtt: secret(), token: secret() }))
  write(camera.passwordFile, secret())
  write('secrets/broker-credentials', secrets.map(({ id, mqtt }) => `${id}:${mqtt}\n`).join(''))
  write('secrets/evidence-tokens', secrets.map(({ id, token }) => `${id}:${token}\n`).join(''))
  for (const { id, mqtt, token } of secrets) {
    write(`secrets/${id}.mqtt`, mqtt)
    write(`secrets/${id}.token`, token)
  }

  edit(join(folder, 'central.yaml'), { 'broker.port': ports.mqtt, 'http.port': ports.http })
  const statusPages: string[] = []
  for (const [index, { file, scene }] of agents.entries()) {
    const statusPort = await freePort(9101 + index)
    statusPages.push(`http://127.0.0.1:${statusPort}/`)
    edit(join(folder, file), {
      'mqtt.url': `mqtt://127.0.0.1:${ports.mqtt}`,
      'evidence.url': `http://127.0.0.1:${ports.http}`,
      'status.port': statusPort,
      'cameras.0.source.url': `rtsp://127.0.0.1:${ports.rtsp}/${scene}`,
      ...Object.fromEntries(
        modelFolders(join(folder, file)).map((name, i) => [`models.${i}.path`, join(root, 'models', name)]),
      ),
      modelCacheDir: join(root, '.cache/models'),
    })
  }

  const user = { name: 'demo', password: 'watchpost-demo' }
  const config = join(folder, 'central.yaml')
  const centralMain = join(root, 'central/bin/watchpost-central.js')
  const adding = promisify(execFile)(
    process.execPath,
    [centralMain, 'user', 'add', '--config', config, '--name', user.name, '--role', 'admin'],
    { env: { ...process.env, WATCHPOST_PASSWORD: user.password } },
  )
  await adding

  const edge = (id: string, file: string): ProcessSpec => ({
    name: id,
    command: process.execPath,
    args: [join(root, 'edge/bin/watchpost-edge.js'), 'run', '--config', join(folder, file)],
  })
  return {
    folder,
    logDir,
    consoleUrl: `http://127.0.0.1:${ports.http}`,
    statusPages,
    streams: agents.map(({ scene }) => `rtsp://127.0.0.1:${ports.rtsp}/${scene}`),
    camerasUrl: `http://127.0.0.1:${ports.control}/streams`,
    user,
    processes: {
      cameras: {
        name: 'cameras',
        command: process.execPath,
        args: [
          join(root, 'scripts/dist/simulated-city/streams/main.js'),
          ...agents.map(({ scene }) => scene),
          // The water begins to rise when the first agent looks, not while models are loaded.
          '--start-together',
          ...['--port', String(ports.rtsp), '--control-port', String(ports.control)],
          ...['--user', camera.user, '--password-file', join(folder, camera.passwordFile)],
        ],
      },
      central: { name: 'central', command: process.execPath, args: [centralMain, 'run', '--config', config] },
      agents: agents.map(({ id, file }) => edge(id, file)),
    },
    streamsReady: () => accepts(ports.rtsp, 30_000),
  }
}

/** Sets values in a YAML file by dotted path and keeps its comments. */
const edit = (file: string, values: Readonly<Record<string, unknown>>): void => {
  const document = parseDocument(readFileSync(file, 'utf8'))
  for (const [path, value] of Object.entries(values)) {
    const keys = path.split('.').map(key => (/^\d+$/.test(key) ? Number(key) : key))
    document.setIn(keys, value)
  }
  writeFileSync(file, String(document))
}

const modelFolders = (file: string): string[] => {
  const { models } = parseDocument(readFileSync(file, 'utf8')).toJS() as { models: { path: string }[] }
  return models.map(({ path }) => path.split('/').at(-1) ?? path)
}

const accepts = async (port: number, timeoutMs: number): Promise<void> => {
  const until = Date.now() + timeoutMs
  for (;;) {
    const open = await new Promise<boolean>(resolve => {
      const socket = connect(port, '127.0.0.1', () => resolve(true))
      socket.once('error', () => resolve(false))
      socket.once('connect', () => socket.destroy())
    })
    if (open) return
    if (Date.now() > until) throw new Error(`The RTSP server did not listen on port ${port}; see logs/cameras.log`)
    await new Promise(resolve => setTimeout(resolve, 200))
  }
}
