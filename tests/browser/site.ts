import { execFileSync } from 'node:child_process'
import { createHash, randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { healthExample } from '@watchpost/shared/contracts/agent-status'
import {
  cameraSource,
  dataSchemaOf,
  type EventEnvelope,
  type ObservationEnvelope,
} from '@watchpost/shared/contracts/envelope'
import type { Evidence } from '@watchpost/shared/contracts/evidence'
import { reportedExample } from '@watchpost/shared/contracts/twin'
import { type Channel, delivery, topicOf } from '@watchpost/shared/topics'
import mqtt from 'mqtt'
import sharp from 'sharp'
import { freePort } from '../helpers/free-port.js'
import { type ServerProcess, startServer } from '../helpers/server-process.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const bin = join(root, 'central/bin/watchpost-central.js')
const token = 'a-token-of-the-test'
export const password = 'a long password'
const address = { siteId: 'an-cuu', agentId: 'an-cuu-1' }

const cityOf = (agents: readonly string[]): string => `
version: 1
name: { vi: Huế thử, en: Test Hue }
centre: [107.5905, 16.4645]
zoom: 13.2
wards:
  - id: an-cuu
    name: { vi: Phường An Cựu, en: An Cuu ward }
    polygon: [[107.57, 16.45], [107.61, 16.45], [107.61, 16.48], [107.57, 16.48], [107.57, 16.45]]
sites:
  - id: an-cuu
    name: { vi: Trạm An Cựu, en: An Cuu site }
    agents: [${agents.join(', ')}]
    cameras:
      - { id: ba-trieu, name: { vi: Đường Bà Triệu, en: Ba Trieu street }, location: [107.604, 16.4665] }
      - { id: hung-vuong, name: { vi: Ngã tư Hùng Vương, en: Hung Vuong junction }, location: [107.5948, 16.4655] }
hotspots:
  - id: ba-trieu
    name: { vi: Đường Bà Triệu, en: Ba Trieu street }
    location: [107.604, 16.4665]
    camera: ba-trieu
    levels:
      - { name: { vi: Nước lên mặt đường, en: Water on the road }, cm: 10, severity: minor }
      - { name: { vi: Xe máy không qua được, en: Impassable for motorbikes }, cm: 25, severity: major }
water:
  - { name: { vi: Sông Hương, en: Perfume River }, widthM: 320, line: [[107.56, 16.45], [107.59, 16.47], [107.6, 16.49]] }
roads:
  - { name: { vi: Lê Lợi, en: Le Loi }, line: [[107.576, 16.4585], [107.5985, 16.473]] }
`

const newest = (folder: string): number =>
  Math.max(
    0,
    ...readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter(entry => entry.isFile())
      .map(entry => statSync(join(entry.parentPath, entry.name)).mtimeMs),
  )

const longestBuildMs = 120_000

/** Two test files must not build at once: the second would take away what the first one serves. */
const oneAtATime = (lock: string, work: () => void): void => {
  for (;;) {
    try {
      mkdirSync(lock)
      break
    } catch {
      const heldSince = statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? Date.now()
      // Left by a process that was killed.
      if (Date.now() - heldSince > longestBuildMs) rmSync(lock, { recursive: true, force: true })
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100)
    }
  }
  try {
    work()
  } finally {
    rmSync(lock, { recursive: true, force: true })
  }
}

/** The console as it is in the sources; built only when they are newer than the last build. */
const buildConsole = (): void => oneAtATime(join(root, 'node_modules/.console-building'), buildIfStale)

const buildIfStale = (): void => {
  const folder = join(root, 'central/console')
  const built = join(folder, 'dist/index.html')
  if (existsSync(built) && statSync(built).mtimeMs > newest(join(folder, 'src'))) return
  execFileSync(process.execPath, [join(root, 'node_modules/vite/bin/vite.js'), 'build', '--logLevel', 'warn'], {
    cwd: folder,
    stdio: 'inherit',
  })
}

type Measure = NonNullable<EventEnvelope['data']['measure']>

export interface Happening {
  readonly camera: 'ba-trieu' | 'hung-vuong'
  readonly happeningId: string
  readonly kind: 'flood-level' | 'red-light'
  readonly phase: 'began' | 'updated'
  readonly measure: Measure
  readonly level?: string
  readonly evidence: readonly Evidence[]
}

export interface Site {
  readonly url: string
  /** As the agent, or as another one of the site. */
  say(channel: Channel, content: object, agentId?: string): Promise<void>
  /** Readings of ba-trieu in cm, one every 5 s, the last one taken now. */
  measure(levelsCm: readonly number[]): Promise<void>
  happen(happening: Happening): Promise<void>
  /** Makes a picture and uploads it, as an agent does. */
  takePicture(camera: string, role: Evidence['role'], colour: string): Promise<Evidence>
  killCentral(): Promise<void>
  startCentral(): Promise<void>
  close(): Promise<void>
}

/** Central as its own process with embedded broker and stores, a reviewer and the agents played by the test, one unless it says more. */
export const openSite = async (others: readonly string[] = []): Promise<Site> => {
  buildConsole()
  const directory = mkdtempSync(join(tmpdir(), 'browser-'))
  const [http, broker] = [await freePort(), await freePort()]
  const url = `http://127.0.0.1:${http}`
  const config = join(directory, 'central.yaml')
  writeFileSync(join(directory, 'city.yaml'), cityOf([address.agentId, ...others]))
  writeFileSync(join(directory, 'tokens'), `an-cuu-1:${token}\n`, { mode: 0o600 })
  writeFileSync(
    config,
    `version: 1\ndataDir: data\ncity: city.yaml\nbroker: { mode: embedded, port: ${broker} }\nhttp: { port: ${http} }
evidence: { tokensFile: tokens }\npublicApi: { staleAfterSeconds: 10 }\nlog: { level: warn }\n`,
  )
  for (const [name, role] of Object.entries({ reviewer: 'reviewer', colleague: 'reviewer', engineer: 'engineer' }))
    execFileSync(process.execPath, [bin, 'user', 'add', '--config', config, '--name', name, '--role', role], {
      env: { ...process.env, WATCHPOST_PASSWORD: password },
    })

  let central: ServerProcess
  const startCentral = async () => {
    const isReady = async () => (await fetch(`${url}/readyz`)).ok
    central = await startServer(process.execPath, [bin, 'run', '--config', config], isReady)
  }
  await startCentral()

  const epoch = Date.now()
  const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${broker}`, {
    clientId: address.agentId,
    protocolVersion: 4,
    reconnectPeriod: 200,
  })
  const say = async (channel: Channel, content: object, agentId = address.agentId): Promise<void> => {
    await client.publishAsync(topicOf({ ...address, agentId }, channel), JSON.stringify(content), delivery[channel])
  }
  const now = () => new Date().toISOString()
  const sayHello = async () => {
    await say('state', { status: 'online', epoch, version: '0.1.0', at: now() })
    const analytic = (id: string, kind: string, model: string) => ({ id, kind, model })
    await say('reported', {
      ...reportedExample,
      at: now(),
      cameras: [
        { cameraId: 'ba-trieu', name: 'a', analytics: [analytic('flood', 'flood-level', 'water-segmentation')] },
        { cameraId: 'hung-vuong', name: 'b', analytics: [analytic('traffic', 'traffic', 'vehicles')] },
      ],
    })
    await sayHealth()
  }
  const sayHealth = async () => {
    const cameras = ['ba-trieu', 'hung-vuong'].map(cameraId => ({ ...healthExample.cameras[0]!, cameraId }))
    await say('health', { ...healthExample, at: now(), cameras, outbox: { ...healthExample.outbox, epoch } })
  }
  await sayHello()
  client.on('connect', () => void sayHello())
  // As an agent does: one that is silent for a minute counts as offline, and a slow machine needs longer for a file of tests.
  const pulse = setInterval(() => client.connected && void sayHealth(), 5000)

  let seq = 0
  const wrap = <T extends 'event.v1' | 'observation.v1'>(type: T, camera: string, data: object) => ({
    specversion: '1.0',
    id: randomUUID(),
    source: cameraSource(address.siteId, camera),
    type,
    time: now(),
    datacontenttype: 'application/json',
    dataschema: dataSchemaOf(type),
    epoch,
    seq: ++seq,
    data,
  })
  const send = (envelopes: readonly object[]) => say('data', { epoch, oldestSeq: 1, envelopes })

  return {
    url,
    say,
    measure: levelsCm =>
      send(
        levelsCm.map((value, index) => {
          const phenomenonTime = new Date(Date.now() - (levelsCm.length - 1 - index) * 5000).toISOString()
          const data: ObservationEnvelope['data'] = {
            analytic: 'flood',
            property: 'floodLevel',
            value,
            unit: 'cm',
            quality: 'good',
            phenomenonTime,
          }
          return wrap('observation.v1', 'ba-trieu', data)
        }),
      ),
    happen: ({ camera, kind, evidence, ...rest }) => {
      const data = {
        ...rest,
        kind,
        severity: 'major',
        confidence: 0.94,
        analytic: kind === 'red-light' ? 'traffic' : 'flood',
        phenomenonTime: now(),
        zone: kind === 'red-light' ? 'stop-line' : 'road',
        geometry: { box: [0.25, 0.5, 0.2, 0.3], label: kind === 'red-light' ? 'car' : 'water' },
        model: {
          id: kind === 'red-light' ? 'vehicles' : 'water-segmentation',
          version: '0.1.0',
          sha256: '0'.repeat(64),
        },
        evidence: [...evidence],
      } satisfies EventEnvelope['data']
      return send([wrap('event.v1', camera, data)])
    },
    takePicture: async (camera, role, colour) => {
      const picture = { width: 640, height: 360, channels: 3 as const, background: colour }
      const bytes = await sharp({ create: picture }).jpeg({ quality: 80 }).toBuffer()
      const sha256 = createHash('sha256').update(bytes).digest('hex')
      const takenAt = now()
      const reply = await fetch(`${url}/ingest/v1/evidence/${sha256}`, {
        method: 'PUT',
        headers: {
          'content-type': 'image/jpeg',
          authorization: `Bearer ${token}`,
          'x-watchpost-agent': address.agentId,
          'x-watchpost-camera': camera,
          'x-watchpost-role': role,
          'x-watchpost-taken-at': takenAt,
        },
        body: new Uint8Array(bytes),
      })
      if (!reply.ok) throw new Error(`PUT evidence: ${reply.status} ${await reply.text()}`)
      return { sha256, mediaType: 'image/jpeg', bytes: bytes.length, role, takenAt }
    },
    killCentral: () => central.stop('SIGKILL'),
    startCentral,
    close: async () => {
      clearInterval(pulse)
      await client.endAsync(true)
      await central.stop('SIGTERM')
      rmSync(directory, { recursive: true, force: true })
    },
  }
}
