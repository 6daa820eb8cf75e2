import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { type Capture, createCapture } from '../../../edge/capture/capture.js'
import type { ConditionChange } from '../../../edge/capture/condition-tracker.js'
import type { CameraConfig } from '../../../edge/config/agent-config.js'
import type { Frame } from '../../../edge/frames/frame.js'
import { startCityStreams } from '../../../scripts/simulated-city/streams/city-streams.js'
import type { Clip } from '../../../scripts/simulated-city/streams/clip.js'
import { cameraOf, perSecond, type RecordedLog, recordLog, until } from '../../helpers/camera-fixture.js'
import { makeClip, readH264, temporaryFolder } from '../../helpers/clips.js'
import { freePort } from '../../helpers/free-port.js'
import { type RtspServer, startRtspServer } from '../../helpers/rtsp-server.js'

const folder = temporaryFolder('capture-rtsp')
/** Colours that survive H.264: a plain red picture. */
let red: Clip
let rareKeys: Clip

let server: RtspServer | undefined
let capture: Capture | undefined

beforeAll(() => {
  red = readH264(makeClip(join(folder, 'red.h264'), { source: 'color=c=red:size=320x180:rate=25', seconds: 4 }))
  rareKeys = readH264(
    makeClip(join(folder, 'rare.h264'), { source: 'testsrc=size=320x180:rate=25', seconds: 8, keyFrameEvery: 100 }),
  )
})

afterEach(async () => {
  await capture?.stop()
  await server?.close()
  capture = undefined
  server = undefined
})

interface Observed {
  readonly frames: Frame[]
  readonly changes: ConditionChange[]
  readonly log: RecordedLog
  readonly dataDir: string
  readonly capture: Capture
}

const observe = async (...cameras: CameraConfig[]): Promise<Observed> => {
  const dataDir = temporaryFolder('capture-data')
  const log = recordLog()
  const frames: Frame[] = []
  const changes: ConditionChange[] = []
  capture = createCapture(cameras, { log, dataDir })
  capture.onFrame(frame => frames.push(frame))
  capture.onCondition(change => changes.push(change))
  await capture.start()
  return { frames, changes, log, dataDir, capture }
}

const pixelAt = (frame: Frame, x: number, y: number): number[] => {
  const offset = (y * frame.width + x) * 3
  return [...frame.pixels.subarray(offset, offset + 3)]
}

/** Commands of all running children of this process. */
const children = (): string[] => {
  const pids = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').trim().split(' ').filter(Boolean)
  return pids
    .map(pid => readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' '))
    .filter(c => /^\S*ffmpeg /.test(c))
}

describe('capture from RTSP', () => {
  it('delivers frames of the right size, colour and time at the cadence of the analytics', async () => {
    server = await startRtspServer({ streams: { cam1: { clip: red } } })
    const startedAt = Date.now()
    const { frames, capture } = await observe(
      cameraOf({ kind: 'rtsp', url: server.url('cam1') }, { width: 160, fps: 5, clockOffsetMs: 400 }),
    )
    await until('15 frames', () => frames.length >= 15)
    const arrivedAt = Date.now()
    const [first, last] = [frames[0]!, frames.at(-1)!]
    expect([first.width, first.height, first.pixels.length]).toEqual([160, 90, 160 * 90 * 3])
    expect(first.pixels.buffer).toBeInstanceOf(SharedArrayBuffer)
    const [r, g, b] = pixelAt(last, 80, 45)
    expect(r).toBeGreaterThan(230)
    expect(g! + b!).toBeLessThan(30)
    expect(frames.map(frame => frame.number)).toEqual(frames.map((_, index) => index + 1))
    expect(first.takenAt).toBeGreaterThan(startedAt - 400)
    expect(last.takenAt).toBeLessThanOrEqual(arrivedAt - 400)
    expect(Math.abs(perSecond(frames.slice(0, 10)) - 5)).toBeLessThan(1)
    expect(capture.status('gate')).toMatchObject({
      state: 'streaming',
      condition: null,
      decodeErrors: 0,
      reconnects: 0,
    })
    expect(new Set(frames.map(frame => frame.pixels.buffer)).size).toBe(frames.length)
  })

  it('restarts a camera that answers and then goes silent within a second of its stall limit', async () => {
    server = await startRtspServer({ streams: { cam1: { clip: red } } })
    const { frames, changes, capture } = await observe(
      cameraOf({ kind: 'rtsp', url: server.url('cam1') }, { stallSeconds: 2 }),
    )
    await until('first frames', () => frames.length >= 5)
    const describes = server.describes()
    server.stall()
    const held = monitorEventLoopDelay({ resolution: 10 })
    held.enable()
    await until('the loss', () => capture.status('gate')!.reconnects === 1)
    // How long a busy machine kept this process waiting is not the camera's.
    expect(Date.now() - frames.at(-1)!.takenAt - held.max / 1e6).toBeLessThan(3_000)
    held.disable()
    await until('a new connection', () => server!.describes() > describes)
    expect(changes.map(({ condition, phase }) => [condition, phase])).toEqual([['stalled', 'began']])
    expect(changes[0]!.hint).not.toBe('')
    server.resume()
    await until('frames counted from 1 again', () => frames.findLastIndex(frame => frame.number === 1) > 0)
    await until('the stall to end', () => changes.at(-1)!.phase === 'ended')
    expect(capture.status('gate')!.condition).toBeNull()
  })

  it('reconnects by itself after the server reset the connection, without calling the camera offline', async () => {
    server = await startRtspServer({ streams: { cam1: { clip: red } } })
    const { frames, changes, capture } = await observe(cameraOf({ kind: 'rtsp', url: server.url('cam1') }))
    await until('first frames', () => frames.length >= 3)
    server.drop()
    await until('a second connection', () => frames.some((frame, index) => index > 0 && frame.number === 1))
    expect(capture.status('gate')!.reconnects).toBe(1)
    expect(changes).toEqual([])
  })

  it.each(['basic', 'digest'] as const)(
    'signs in by %s with a password full of special characters',
    async authentication => {
      const password = "p@ss:w/rd #'%41"
      const passwordFile = join(temporaryFolder('secret'), 'password')
      writeFileSync(passwordFile, `${password}\n`)
      server = await startRtspServer({ streams: { cam1: { clip: red } }, username: 'viewer', password, authentication })
      const { frames, log } = await observe(
        cameraOf({ kind: 'rtsp', url: server.url('cam1'), username: 'viewer', passwordFile }),
      )
      await until('frames', () => frames.length >= 2)
      const processes = execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' })
      expect(children()).toHaveLength(1)
      for (const secret of [password, encodeURIComponent(password)]) {
        expect(processes).not.toContain(secret)
        expect(log.text()).not.toContain(secret)
      }
    },
  )

  it('reports a refused password with a hint and shows it nowhere', async () => {
    const passwordFile = join(temporaryFolder('secret'), 'password')
    writeFileSync(passwordFile, 'wrong-Geheimnis')
    server = await startRtspServer({ streams: { cam1: { clip: red } }, username: 'viewer', password: 'right' })
    const { changes, log, capture } = await observe(
      cameraOf({ kind: 'rtsp', url: server.url('cam1'), username: 'viewer', passwordFile }),
    )
    await until('a condition', () => changes.length > 0)
    expect(changes[0]).toMatchObject({ cameraId: 'gate', condition: 'unauthorised', phase: 'began' })
    expect(changes[0]!.message).toContain('401')
    expect(changes[0]!.hint).toContain('passwordFile')
    await until('a second attempt', () => capture.status('gate')!.reconnects >= 2)
    expect(changes).toHaveLength(1)
    expect(log.text()).toContain('Camera connection lost')
    expect(log.text() + JSON.stringify(changes)).not.toContain('Geheimnis')
  })

  it('reports a password file that does not exist', async () => {
    const { changes } = await observe(
      cameraOf({ kind: 'rtsp', url: 'rtsp://127.0.0.1:9/cam1', username: 'viewer', passwordFile: '/does/not/exist' }),
    )
    await until('a condition', () => changes.length > 0)
    expect(changes[0]).toMatchObject({ condition: 'unauthorised', phase: 'began' })
    expect(changes[0]!.message).toContain('/does/not/exist')
  })

  it.each([
    [404, 'source.url'],
    [503, 'viewers'],
  ])('calls a camera that answers %i offline and says what to check', async (status, hint) => {
    server = await startRtspServer({ streams: { cam1: { clip: red } } })
    server.answer(status)
    const { changes } = await observe(cameraOf({ kind: 'rtsp', url: server.url('cam1') }, { stallSeconds: 2 }))
    await until('a condition', () => changes.length > 0)
    expect(changes[0]).toMatchObject({ condition: 'offline', phase: 'began' })
    expect(changes[0]!.hint).toContain(hint)
  })

  it('waits for a server that is away at start and ends the condition when it appears', async () => {
    const port = await freePort()
    const { frames, changes } = await observe(
      cameraOf({ kind: 'rtsp', url: `rtsp://127.0.0.1:${port}/cam1` }, { stallSeconds: 2 }),
    )
    await until('offline', () => changes.length > 0)
    expect(changes[0]).toMatchObject({ condition: 'offline', phase: 'began' })
    expect(changes[0]!.message).toContain('refused')
    server = await startRtspServer({ streams: { cam1: { clip: red } }, port })
    await until('frames', () => frames.length > 0)
    await until('the end of offline', () => changes.length > 1)
    expect(changes[1]).toMatchObject({ condition: 'offline', phase: 'ended' })
  })

  it('counts what cannot be decoded and goes on when the stream is sound again', async () => {
    server = await startRtspServer({ streams: { cam1: { clip: red } } })
    const { frames, capture } = await observe(cameraOf({ kind: 'rtsp', url: server.url('cam1') }))
    await until('first frames', () => frames.length >= 3)
    server.garbage('on')
    await until('decode errors', () => capture.status('gate')!.decodeErrors > 0)
    server.garbage('off')
    const before = frames.length
    await until('frames again', () => frames.length > before + 3)
  })

  it('decodes key frames alone for slow analytics, and everything where they are too rare', async () => {
    server = await startRtspServer({ streams: { often: { clip: red }, rare: { clip: rareKeys } } })
    const { frames, capture } = await observe(
      cameraOf({ kind: 'rtsp', url: server.url('often') }, { id: 'often', fps: 1 }),
      cameraOf({ kind: 'rtsp', url: server.url('rare') }, { id: 'rare', fps: 1 }),
    )
    const of = (id: string) => frames.filter(frame => frame.cameraId === id)
    await until('the fallback', () => capture.status('rare')!.reconnects === 1)
    expect(capture.status('rare')!.keyFramesOnly).toBe(false)
    const before = of('rare').length
    await until('frames at full cadence', () => {
      const last = of('rare').slice(-3)
      return of('rare').length >= before + 4 && last[2]!.takenAt - last[0]!.takenAt < 3_000
    })
    await until('the other camera', () => of('often').length > 8)
    expect(capture.status('often')).toMatchObject({ keyFramesOnly: true, reconnects: 0, condition: null })
  })

  it('dates a picture by its arrival, not by the next one that shows ffmpeg where it ends', async () => {
    const brighterBy = 7
    const clip = makeClip(join(temporaryFolder('slow'), 'slow.h264'), {
      source: `color=black:size=320x180:rate=1,geq=lum='30+${brighterBy}*N':cb=128:cr=128`,
      seconds: 30,
      keyFrameEvery: 2,
    })
    const city = await startCityStreams({ sources: [{ name: 'slow', clip: readH264(clip, 1) }] })
    onTestFinished(() => city.close())
    const [stream] = city.streams
    const { frames, capture } = await observe(cameraOf({ kind: 'rtsp', url: stream!.url }, { id: 'slow', fps: 1 }))
    // Of one picture a second nothing is left out, though the analytics would be content with key frames.
    await until('no key frames alone', () => capture.status('slow')!.keyFramesOnly === false)
    await until('four pictures', () => frames.length === 4)
    const spanMs = frames[3]!.takenAt - frames[0]!.takenAt
    expect(spanMs).toBeGreaterThan(2_500)
    expect(spanMs).toBeLessThan(4_000)
    const shownAt = (frame: Frame): number => {
      const light = (pixelAt(frame, 160, 90)[1]! * 219) / 255 + 16
      return Date.parse(stream!.startedAt!) + 1000 * Math.round((light - 30) / brighterBy)
    }
    // The first is no older than the others, though ffmpeg gathers pictures for seconds while it starts.
    const lateMs = frames.map(frame => frame.takenAt - shownAt(frame))
    expect(Math.max(...lateMs)).toBeLessThan(500)
    expect(Math.min(...lateMs)).toBeGreaterThan(-500)
  })

  it('leaves no child, no playlist and no register entry behind after stop, also for a frozen camera', async () => {
    server = await startRtspServer({ streams: { cam1: { clip: red }, cam2: { clip: red } } })
    const { frames, dataDir } = await observe(
      cameraOf({ kind: 'rtsp', url: server.url('cam1') }, { id: 'one' }),
      cameraOf({ kind: 'rtsp', url: server.url('cam2') }, { id: 'two' }),
    )
    await until('both cameras', () => new Set(frames.map(frame => frame.cameraId)).size === 2)
    expect(children()).toHaveLength(2)
    expect(readdirSync(join(dataDir, 'capture'))).toHaveLength(2)
    server.stall()
    const stoppedAt = performance.now()
    await capture!.stop()
    // A frozen ffmpeg is killed after 3 s.
    expect(performance.now() - stoppedAt).toBeLessThan(10_000)
    expect(children()).toEqual([])
    expect(readdirSync(join(dataDir, 'capture'))).toEqual([])
    expect(capture!.status('one')!.state).toBe('stopped')
  })
})
