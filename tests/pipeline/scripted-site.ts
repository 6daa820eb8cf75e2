import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'

/** A site whose cameras are generated clips and whose model follows a script, so what must come out is known. */
export interface ScriptedSite {
  readonly folder: string
  readonly configFile: string
  readonly clip: string
}

export interface SiteOptions {
  readonly brokerPort?: number
  readonly evidencePort?: number
  /** Changes to the configuration before it is written. */
  readonly change?: (config: SiteConfig) => void
  /** Of the clip. */
  readonly seconds?: number
}

export type SiteConfig = Record<string, unknown> & {
  cameras: (Record<string, unknown> & {
    id: string
    source: Record<string, unknown>
    analytics: Record<string, unknown>[]
  })[]
  models: { id: string; path: string }[]
}

const rows = 32
const columns = 64
const waterFrom = (row: number) => ({
  water: { patches: row >= rows ? [] : [{ from: [0, 0, row, 0], to: [1, 1, rows, columns], value: 1 }] },
})

/** Rises and falls by 2 rows (5 cm) a frame: the analytic does not believe in steps that no flood makes. */
const rise = Array.from({ length: 8 }, (_, index) => ({ at: 5 + index, outputs: waterFrom(rows - 2 * (index + 1)) }))
const fall = Array.from({ length: 8 }, (_, index) => ({ at: 20 + index, outputs: waterFrom(16 + 2 * (index + 1)) }))
/** At 5 frames per second: dry, from 0.8 s on rising to the middle of the picture, from 3.8 s on falling, dry till 8 s; for ever. */
const script = { clock: 'frame', period: 40, steps: [{ at: 0, outputs: waterFrom(rows) }, ...rise, ...fall] }

const writeModel = (folder: string): string => {
  const path = join(folder, 'models/water')
  mkdirSync(path, { recursive: true })
  const weights = JSON.stringify(script)
  writeFileSync(join(path, 'script.json'), weights)
  const sha256 = createHash('sha256').update(weights).digest('hex')
  const manifest = {
    schemaVersion: 1,
    id: 'scripted-water',
    version: '1.0.0',
    task: 'water-segmentation',
    runtime: 'scripted',
    decoder: { name: 'segmentation' },
    weights: { path: 'script.json', sha256, bytes: weights.length },
    input: {
      name: 'images',
      width: columns,
      height: rows,
      layout: 'nchw',
      channels: 'rgb',
      resize: 'stretch',
      mean: [0, 0, 0],
      std: [1, 1, 1],
    },
    outputs: [{ name: 'water', shape: [1, 1, rows, columns] }],
    labels: ['water'],
    thresholds: { default: 0.5 },
    tolerance: 0.001,
    golden: [],
    licence: 'Apache-2.0',
    sources: [],
    metrics: {},
  }
  writeFileSync(join(path, 'manifest.json'), JSON.stringify(manifest))
  return path
}

export const makeSite = (options: SiteOptions = {}): ScriptedSite => {
  const folder = mkdtempSync(join(tmpdir(), 'site-'))
  const clip = join(folder, 'street.mp4')
  execFileSync('ffmpeg', [
    ...['-v', 'error', '-y', '-f', 'lavfi', '-i', 'testsrc=size=320x180:rate=10', '-t', String(options.seconds ?? 8)],
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', clip],
  ])
  const config: SiteConfig = {
    version: 1,
    site: 'an-cuu',
    agent: 'an-cuu-1',
    dataDir: 'data',
    mqtt: { url: `mqtt://127.0.0.1:${options.brokerPort ?? 1}` },
    evidence: { url: `http://127.0.0.1:${options.evidencePort ?? 1}` },
    status: { port: 0 },
    log: { level: 'warn' },
    models: [{ id: 'water', path: writeModel(folder) }],
    cameras: [
      {
        id: 'le-loi-1',
        name: 'Lê Lợi 1',
        source: { kind: 'file', path: 'street.mp4', loop: true },
        frame: { width: 160 },
        analytics: [
          {
            id: 'flood',
            kind: 'flood-level',
            model: 'water',
            fps: 5,
            readings: 1,
            gauge: {
              points: [
                { x: 0.5, y: 0.95, cm: 0 },
                { x: 0.5, y: 0.05, cm: 90 },
              ],
            },
            levels: [{ name: 'deep', cm: 20, severity: 'major' }],
            dwellSeconds: 0.4,
            endDwellSeconds: 0.4,
            observeEverySeconds: 1,
          },
        ],
      },
    ],
  }
  options.change?.(config)
  const configFile = join(folder, 'agent.yaml')
  writeFileSync(configFile, stringify(config))
  return { folder, configFile, clip }
}

export interface PictureDesk {
  readonly port: number
  /** What was put, by the hash in the address. */
  readonly pictures: Map<string, Buffer>
  close(): Promise<void>
}

/** The part of central that takes pictures. */
export const openPictureDesk = async (): Promise<PictureDesk> => {
  const pictures = new Map<string, Buffer>()
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', chunk => chunks.push(chunk as Buffer))
    request.on('end', () => {
      const sha256 = request.url?.split('/').at(-1) ?? ''
      pictures.set(sha256, Buffer.concat(chunks))
      response.writeHead(201).end()
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  return {
    port,
    pictures,
    close: () =>
      new Promise(resolve => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}
