import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { until } from '../helpers/camera-fixture.js'
import { makeClip, temporaryFolder } from '../helpers/clips.js'
import { makeRamp, watchRamp } from './ramp.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const folder = temporaryFolder('streams-command')
const ramp = join(folder, 'ramp.mp4')
const mpeg4 = join(folder, 'mpeg4.mp4')

beforeAll(() => {
  makeRamp(ramp)
  makeClip(mpeg4, { source: 'testsrc=size=64x48:rate=5', seconds: 1, codec: ['-c:v', 'mpeg4'] })
  writeFileSync(join(folder, 'text.mp4'), 'no video at all')
})

const streams = (...args: readonly string[]) => {
  const child = spawn(process.execPath, ['scripts/dist/simulated-city/streams/main.js', ...args], { cwd: root })
  onTestFinished(() => void child.kill('SIGKILL'))
  const output = { stdout: '', stderr: '' }
  child.stdout.on('data', chunk => {
    output.stdout += chunk
  })
  child.stderr.on('data', chunk => {
    output.stderr += chunk
  })
  const ended = new Promise<number | null>(resolve => child.once('close', resolve))
  return { output, ended, stop: () => child.kill('SIGINT') }
}

/** Options that take any free port: the tests run beside others. */
const anyPort = ['--port', '0', '--control-port', '0']

describe('scripts/streams', () => {
  it('lists the scenes', async () => {
    const { output, ended } = streams('--list')
    expect(await ended).toBe(0)
    expect(output.stdout).toMatch(/^scene +seconds +fps/)
    expect(output.stdout).toMatch(/^flood-street +105 +2/m)
    expect(output.stdout).toMatch(/^junction +40 +10/m)
  })

  it('serves a scene and a file of one’s own, says how to use them, and ends at Ctrl-C', async () => {
    const { output, ended, stop } = streams('junction', `mine=${ramp}`, '--speed', '2', ...anyPort)
    await until('the start', () => output.stdout.split('\n').length > 2 && output.stderr.includes('Ctrl-C'), 120_000)
    const [scene, mine] = output.stdout
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))
    expect(scene).toMatchObject({ name: 'junction', state: 'live', durationS: 40, speed: 2, loop: true })
    expect(scene.truthFile).toContain('junction/truth.json')
    expect(new Date(scene.startedAt).toISOString()).toBe(scene.startedAt)
    expect(mine).toMatchObject({ name: 'mine', durationS: 5, startedAt: scene.startedAt, truthFile: null })
    expect(output.stderr).toContain(`ffplay -rtsp_transport tcp ${scene.url}`)
    const { seen } = watchRamp(mine.url)
    await until('pictures', () => seen.length > 5)

    const control = /curl (http\S+)\/streams/.exec(output.stderr)![1]!
    const live = await (await fetch(`${control}/streams`)).json()
    expect(live.streams.map(({ name }: { name: string }) => name)).toEqual(['junction', 'mine'])
    expect(live.streams[1]).toMatchObject({ stats: { viewers: 1, plays: 1 }, faults: [] })
    stop()
    expect(await ended).toBe(0)
  }, 240_000)

  it.each([
    [['nowhere'], 'There is no scene "nowhere"; the scenes are'],
    [[], 'Name at least one scene'],
    [['junction', '--speed', 'fast'], '--speed "fast" will not do; give a number above 0, up to 100.'],
    [['junction', '--once', '--loop'], 'exclude each other'],
    [['junction', '--user', 'viewer'], '--user and --password-file go together'],
    [['junction', '--fault', 'junction:fire@1-2'], '"fire" is no kind of fault'],
    [['junction', '--port', '99999'], 'a port from 0 to 65535'],
    [['junction', '--fly'], "Unknown option '--fly'"],
    [[`mine=${folder}/none.mp4`], 'no such file'],
    [[`mine=${folder}/text.mp4`], 'cannot be read as a video'],
    [[`mine=${mpeg4}`], 'only H.264 can be served; convert it with: ffmpeg'],
    [['a/b=x.mp4'], '"a/b" is no name for a stream'],
  ])('refuses %j in one sentence that says what to do', async (args, sentence) => {
    const { output, ended } = streams(...args)
    expect(await ended).toBe(2)
    expect(output.stderr).toContain(sentence)
    expect(output.stderr.trim().split('\n')).toHaveLength(1)
    expect(output.stderr).toMatch(/^error: /)
    expect(output.stdout).toBe('')
  })

  it('says so when the port is taken', async () => {
    const first = streams(`mine=${ramp}`, ...anyPort)
    await until('the start', () => first.output.stdout.includes('\n'), 120_000)
    const { port } = new URL(JSON.parse(first.output.stdout).url.replace('rtsp', 'http'))
    const { output, ended } = streams(`mine=${ramp}`, '--port', port)
    expect(await ended).toBe(2)
    expect(output.stderr).toContain(`Port ${port} of 127.0.0.1 is in use; end the other server or give another --port.`)
  }, 240_000)
})
