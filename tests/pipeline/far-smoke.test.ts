import { execFile, execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it, vi } from 'vitest'
import { stringify } from 'yaml'
import { temporaryFolder } from '../helpers/clips.js'

vi.setConfig({ testTimeout: 240_000 })

const root = fileURLToPath(new URL('../..', import.meta.url))
const folder = temporaryFolder('far-smoke')

const start = '2026-04-18T02:12:00Z'
/** Of the scene the part from half a minute before the smoke to a minute after it begins. */
const [fromS, lastsS, onsetS] = [38, 90, 68]

/** A rendered hill of 640x360 pixels as a part of what a camera of 1920x1080 sees: its fire is three times as far. */
const farFire = (): string => {
  const out = join(folder, 'far.mp4')
  const scene = (name: string) => join(root, 'tests/fixtures/city', name, `${name}.mp4`)
  const background = join(folder, 'background.png')
  execFileSync('ffmpeg', ['-v', 'error', '-i', scene('quiet-hill'), '-frames:v', '1', background])
  execFileSync('ffmpeg', [
    ...['-v', 'error', '-loop', '1', '-i', background],
    ...['-ss', `${fromS}`, '-t', `${lastsS}`, '-i', scene('hillside-smoke-b')],
    ...['-filter_complex', '[0]scale=1920:1080[hills];[hills][1]overlay=100:300:shortest=1', '-r', '2'],
    ...['-c:v', 'libx264', '-preset', 'veryfast', '-crf', '20', '-pix_fmt', 'yuv420p', out],
  ])
  return out
}

const zoneOf = (id: string, [left, top, right, bottom]: readonly [number, number, number, number]) => ({
  id,
  landUse: 'forest',
  polygon: [
    [left, top],
    [right, top],
    [right, bottom],
    [left, bottom],
  ],
})
const analyticOf = (id: string, closeUp: boolean, corners: Parameters<typeof zoneOf>[1]) => ({
  ...{ id, kind: 'smoke-flame', model: 'smoke-flame', fps: 1, closeUp },
  zones: [zoneOf(id, corners)],
})

it('tells smoke in a small part of a large picture soon when it looks closer, and where in the picture', async () => {
  const [config, out] = [join(folder, 'agent.yaml'), join(folder, 'events.jsonl')]
  const clip = farFire()
  const ridge = [0.06, 0.34, 0.38, 0.58] as const
  writeFileSync(
    config,
    stringify({
      ...{ version: 1, site: 'bach-ma', agent: 'bach-ma-1', dataDir: 'data' },
      mqtt: { url: 'mqtt://127.0.0.1:1883', username: 'bach-ma-1', passwordFile: 'none' },
      evidence: { url: 'http://127.0.0.1:8080', tokenFile: 'none' },
      models: [{ id: 'smoke-flame', path: join(root, 'models/smoke-flame') }],
      cameras: [
        {
          ...{ id: 'ridge', name: 'Ridge', source: { kind: 'file', path: clip }, frame: { width: 1920 } },
          analytics: [analyticOf('near', true, ridge), analyticOf('whole', false, ridge)],
        },
      ],
    }),
  )
  const replay = ['replay', '--config', config, '--source', clip, '--out', out, '--start', start]
  await promisify(execFile)(process.execPath, [join(root, 'edge/bin/watchpost-edge.js'), ...replay, '--quiet'])
  const began = readFileSync(out, 'utf8')
    .trim()
    .split('\n')
    .map(line => JSON.parse(line))
    .filter(({ type, phase }) => type === 'event.v1' && phase === 'began')
  const afterOnset = (analytic: string): number => {
    const event = began.find(one => one.analytic === analytic)
    return event ? (Date.parse(event.phenomenonTime) - Date.parse(start)) / 1000 - (onsetS - fromS) : Infinity
  }
  expect(afterOnset('near')).toBeGreaterThan(0)
  expect(afterOnset('near')).toBeLessThanOrEqual(20)
  expect(afterOnset('whole')).toBeGreaterThan(afterOnset('near') + 10)
  const [x, y, width, height] = began.find(one => one.analytic === 'near').geometry.box
  expect(x).toBeGreaterThan(ridge[0])
  expect(x + width).toBeLessThan(ridge[2])
  expect(y).toBeGreaterThan(ridge[1])
  expect(y + height).toBeLessThan(ridge[3])
})
