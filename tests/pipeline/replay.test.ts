import { execFile, execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { makeClip, readH264 } from '../helpers/clips.js'
import { startRtspServer } from '../helpers/rtsp-server.js'
import { makeSite, type ScriptedSite } from './scripted-site.js'

// Every test runs the command as a process of its own.
vi.setConfig({ testTimeout: 240_000 })

const bin = fileURLToPath(new URL('../../edge/bin/watchpost-edge.js', import.meta.url))

interface Result {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}
const edge = (...args: readonly string[]): Promise<Result> =>
  new Promise(resolve => {
    execFile(process.execPath, [bin, ...args], { maxBuffer: 1e8 }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr })
    })
  })

interface Line {
  readonly type: string
  readonly cameraId: string
  readonly phase?: string
  readonly kind?: string
  readonly phenomenonTime: string
  readonly happeningId?: string
  readonly value?: number | null
  readonly evidence?: { sha256: string; bytes: number }[]
}
const linesOf = (text: string): Line[] =>
  text
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as Line)

let site: ScriptedSite
beforeAll(() => {
  site = makeSite()
})
const replay = (...args: readonly string[]) =>
  edge('replay', '--config', site.configFile, '--source', site.clip, '--start', '2026-10-27T03:00:00Z', ...args)

describe('watchpost-edge replay', () => {
  it('writes every observation and event of the scripted flood, in order, with the times of the recording', async () => {
    const { code, stdout } = await replay()
    expect(code).toBe(0)
    const lines = linesOf(stdout)
    const events = lines.filter(line => line.type === 'event.v1')
    expect(events.map(({ kind, phase }) => [kind, phase])).toEqual([
      ['flood-level', 'began'],
      ['flood-level', 'ended'],
    ])
    const [began, ended] = events
    const secondsOf = (line: Line) => (Date.parse(line.phenomenonTime) - Date.parse('2026-10-27T03:00:00Z')) / 1000
    // Above 20 cm from about 1.6 s to about 4.8 s, with 0.4 s of dwell each.
    expect(secondsOf(began!)).toBeGreaterThan(1.6)
    expect(secondsOf(began!)).toBeLessThan(3)
    expect(secondsOf(ended!)).toBeGreaterThan(4.8)
    expect(secondsOf(ended!)).toBeLessThan(6.5)
    expect(began!.happeningId).toBe(ended!.happeningId)
    const times = lines.map(line => line.phenomenonTime)
    expect(times).toEqual([...times].sort())
    const levels = lines.flatMap(line =>
      line.type === 'observation.v1' && typeof line.value === 'number' ? [line.value] : [],
    )
    expect(Math.max(...levels)).toBeGreaterThan(40)
    expect(Math.min(...levels)).toBe(0)
  })

  it('gives the same lines every time', async () => {
    const [first, second] = [await replay('--quiet'), await replay('--quiet')]
    expect(first.stdout.length).toBeGreaterThan(500)
    expect(second.stdout).toBe(first.stdout)
    expect(first.stderr).toBe('')
  })

  it('writes to a file, and its progress to standard error', async () => {
    const out = join(site.folder, 'events.jsonl')
    const { code, stdout, stderr } = await replay('--out', out)
    expect([code, stdout]).toEqual([0, ''])
    expect(linesOf(readFileSync(out, 'utf8')).length).toBeGreaterThan(3)
    expect(stderr).toMatch(/replayed: \d+ frames, \d+ observations, 2 events/)
  })

  it('keeps the pictures of events when asked, named by their hash', async () => {
    const dir = join(site.folder, 'pictures')
    const { stdout } = await replay('--evidence', dir)
    const began = linesOf(stdout).find(line => line.phase === 'began')
    const files = readdirSync(dir, { recursive: true }).map(String)
    for (const { sha256 } of began!.evidence!) {
      const file = files.find(name => name.endsWith(`${sha256}.jpg`))!
      expect(
        createHash('sha256')
          .update(readFileSync(join(dir, file)))
          .digest('hex'),
      ).toBe(sha256)
    }
    expect(began!.evidence!.length).toBeGreaterThan(0)
  })

  it('takes a folder of pictures', async () => {
    const folder = join(site.folder, 'frames')
    mkdirSync(folder)
    execFileSync('ffmpeg', ['-v', 'error', '-i', site.clip, '-vf', 'fps=1', join(folder, '%03d.jpg')])
    const { code, stdout } = await edge('replay', '-c', site.configFile, '-s', folder, '--fps', '2')
    expect(code).toBe(0)
    expect(linesOf(stdout).length).toBeGreaterThan(1)
  })

  it('takes a live stream for a while, with the real time, and keeps the password out of what it says', async () => {
    const clip = readH264(
      makeClip(join(site.folder, 'live.h264'), { source: 'testsrc=size=320x180:rate=10', seconds: 3 }),
      10,
    )
    const server = await startRtspServer({
      streams: { cam: { clip } },
      username: 'viewer',
      password: 'hunter2',
    })
    const at = (password: string) => server.url('cam').replace('rtsp://', `rtsp://viewer:${password}@`)
    const startedAt = Date.now()
    const good = await edge('replay', '-c', site.configFile, '-s', at('hunter2'), '--seconds', '20')
    expect([good.code, good.stderr]).toEqual([0, expect.stringContaining('frames')])
    expect(Date.parse(linesOf(good.stdout)[0]!.phenomenonTime)).toBeGreaterThan(startedAt)
    const wrong = await edge('replay', '-c', site.configFile, '-s', at('sesame'), '--seconds', '20')
    expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringContaining('le-loi-1')])
    expect(`${good.stderr}${wrong.stderr}`).not.toMatch(/hunter2|sesame/)
    await server.close()
  })

  it('asks which camera is meant when there are several', async () => {
    const two = makeSite({ change: config => config.cameras.push({ ...config.cameras[0]!, id: 'ba-trieu' }) })
    const without = await edge('replay', '-c', two.configFile, '-s', two.clip)
    expect(without.code).toBe(1)
    expect(without.stderr).toContain('le-loi-1, ba-trieu')
    const wrong = await edge('replay', '-c', two.configFile, '-s', two.clip, '--camera', 'ba-treu')
    expect(wrong.stderr).toContain('Did you mean "ba-trieu"?')
    const right = await edge('replay', '-c', two.configFile, '-s', two.clip, '--camera', 'ba-trieu', '--quiet')
    expect(linesOf(right.stdout)[0]?.cameraId).toBe('ba-trieu')
  })

  it('says what is wrong with a file that is not a video, or not there', async () => {
    const text = join(site.folder, 'notes.mp4')
    writeFileSync(text, 'these are notes, not pictures\n'.repeat(100))
    const notVideo = await edge('replay', '-c', site.configFile, '-s', text)
    expect([notVideo.code, notVideo.stderr]).toEqual([1, expect.stringContaining('notes.mp4')])
    const missing = await edge('replay', '-c', site.configFile, '-s', join(site.folder, 'none.mp4'))
    expect([missing.code, missing.stderr]).toEqual([1, expect.stringContaining('none.mp4')])
  })

  it('refuses a model package whose weights are not those of its manifest', async () => {
    const broken = makeSite()
    writeFileSync(join(broken.folder, 'models/water/script.json'), '{"steps":[{"at":0}]}')
    const { code, stderr } = await edge('replay', '-c', broken.configFile, '-s', broken.clip)
    expect([code, stderr]).toEqual([1, expect.stringContaining('sha256')])
  })
})

describe('watchpost-edge', () => {
  it('explains itself', async () => {
    for (const args of [['--help'], ['run', '--help'], ['replay', '-h'], ['check', '--help'], ['outbox', '--help']]) {
      const { code, stdout } = await edge(...args)
      expect([code, stdout]).toEqual([0, expect.stringContaining('Usage: watchpost-edge')])
    }
  })

  it.each([[[]], [['fly']], [['run']], [['replay', '--sauce', 'x']], [['outbox', 'clean', '-c', 'x']]])(
    'answers %j with usage and exit code 2',
    async args => {
      const { code, stderr } = await edge(...args)
      expect([code, stderr]).toEqual([2, expect.stringContaining('Usage: watchpost-edge')])
    },
  )

  it('checks a good configuration with exit code 0 and a bad one with 1 and every finding', async () => {
    const good = await edge('check', '-c', site.configFile)
    expect([good.code, good.stdout]).toEqual([0, expect.stringContaining('answers as it should')])
    const bad = makeSite({
      change: config => {
        config.agnet = 'x'
        config.cameras[0]!.analytics[0]!.model = 'wter'
      },
    })
    const { code, stdout } = await edge('check', '-c', bad.configFile)
    expect(code).toBe(1)
    expect(stdout).toContain('Did you mean "agent"?')
    expect(stdout).toContain('Did you mean "water"?')
  })

  it('tells with --probe which camera shows no pictures', async () => {
    const away = makeSite({
      change: config => {
        config.cameras.push({
          ...config.cameras[0]!,
          id: 'away',
          source: { kind: 'rtsp', url: 'rtsp://127.0.0.1:9/x' },
          stallSeconds: 2,
        } as never)
      },
    })
    const { code, stdout } = await edge('check', '-c', away.configFile, '--probe')
    expect(code).toBe(1)
    expect(stdout).toMatch(/ok +camera le-loi-1: shows pictures/)
    expect(stdout).toMatch(/ERROR camera away: /)
    expect(stdout).toMatch(/ERROR broker: /)
  })
})
