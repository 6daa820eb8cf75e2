import { describe, expect, it } from 'vitest'
import { createCadence } from '../../../edge/frames/cadence.js'
import type { Frame } from '../../../edge/frames/frame.js'
import { createFrames, type ReadyFrame } from '../../../edge/frames/frames.js'
import { cameraOf, recordLog } from '../../helpers/camera-fixture.js'

const frameAt = (takenAt: number, number: number, cameraId = 'gate'): Frame => ({
  cameraId,
  width: 1,
  height: 1,
  pixels: new Uint8Array(new SharedArrayBuffer(3)),
  takenAt,
  number,
})
const settle = () => new Promise(resolve => setImmediate(resolve))
const camera = cameraOf({ kind: 'file', path: '/clip.mp4' }, { fps: 10 })

describe('cadence', () => {
  const taken = (fps: number, times: readonly number[]) => {
    const cadence = createCadence(fps)
    return times.filter(time => cadence.isDue(time))
  }
  const steady = (fps: number, seconds: number) => Array.from({ length: fps * seconds }, (_, n) => (n * 1000) / fps)

  it.each([
    [25, 10],
    [25, 8],
    [10, 1],
    [30, 7],
  ])('takes from %i frames per second exactly %i on average', (from, to) => {
    expect(Math.abs(taken(to, steady(from, 60)).length - to * 60)).toBeLessThanOrEqual(1)
  })

  it('loses no frame of a camera as fast as the cadence whose frames arrive up to 40 % of a period early or late', () => {
    let seed = 7
    const jitter = () => {
      seed = (seed * 16807) % 2147483647
      return (seed / 2147483647 - 0.5) * 0.8
    }
    const times = steady(8, 60).map(time => time + jitter() * 125)
    expect(taken(8, times)).toHaveLength(times.length)
  })

  it('takes every frame of a camera slower than the cadence', () => {
    expect(taken(8, steady(2, 30))).toHaveLength(60)
  })

  it('does not catch up after a gap', () => {
    expect(taken(1, [0, 1000, 9000, 9040, 9080, 10_000])).toEqual([0, 1000, 9000, 10_000])
  })

  it('goes on when the clock was set back', () => {
    expect(taken(1, [100_000, 101_000, 5_000, 5_500, 6_000])).toEqual([100_000, 101_000, 5_000, 6_000])
  })
})

describe('newest-wins frames', () => {
  it('hands a frame to each analytic at its own cadence', async () => {
    const two = { ...camera, analytics: [camera.analytics[0]!, { ...camera.analytics[0]!, id: 'slow', fps: 1 }] }
    const frames = createFrames([two], { log: recordLog() })
    const ready: ReadyFrame[] = []
    frames.onReady(async item => void ready.push(item))
    for (let n = 0; n < 30; n++) {
      frames.offer(frameAt(n * 100, n + 1))
      await settle()
    }
    expect(ready.filter(item => item.analyticId === 'traffic')).toHaveLength(30)
    const slow = ready.filter(item => item.analyticId === 'slow').map(item => Math.round(item.frame.takenAt / 1000))
    expect(slow).toEqual([0, 1, 2])
    expect(frames.counters('gate', 'slow')).toEqual({ due: 3, skipped: 27, delivered: 3, dropped: {}, pending: 0 })
  })

  it('keeps only the newest frame for a busy consumer and counts what it dropped', async () => {
    const frames = createFrames([camera], { log: recordLog() })
    const seen: number[] = []
    let finish: () => void = () => {}
    frames.onReady(async ({ frame }) => {
      seen.push(frame.number)
      await new Promise<void>(resolve => {
        finish = resolve
      })
    })
    for (let n = 1; n <= 5; n++) frames.offer(frameAt(n * 100, n))
    expect(seen).toEqual([1])
    expect(frames.counters('gate', 'traffic')).toEqual({
      due: 5,
      skipped: 0,
      delivered: 0,
      dropped: { 'newer-frame': 3 },
      pending: 2,
    })
    finish()
    await settle()
    expect(seen).toEqual([1, 5])
    finish()
    await settle()
    expect(frames.counters('gate', 'traffic')).toMatchObject({ delivered: 2, pending: 0 })
    expect(frames.dropped('gate')).toEqual({ 'newer-frame': 3 })
  })

  it('does not let a slow analytic of one camera hold up another camera', async () => {
    const other = { ...camera, id: 'bridge' }
    const frames = createFrames([camera, other], { log: recordLog() })
    const seen: string[] = []
    frames.onReady(item => {
      seen.push(item.cameraId)
      return item.cameraId === 'gate' ? new Promise(() => {}) : Promise.resolve()
    })
    for (let n = 1; n <= 3; n++) {
      frames.offer(frameAt(n * 100, n))
      frames.offer(frameAt(n * 100, n, 'bridge'))
      await settle()
    }
    expect(seen).toEqual(['gate', 'bridge', 'bridge', 'bridge'])
  })

  it('marks the first frame of a connection even when the very first one was dropped', async () => {
    const frames = createFrames([camera], { log: recordLog() })
    const ready: ReadyFrame[] = []
    let finish: () => void = () => {}
    frames.onReady(item => {
      ready.push(item)
      return new Promise<void>(resolve => {
        finish = resolve
      })
    })
    frames.offer(frameAt(0, 1))
    frames.offer(frameAt(100, 2))
    frames.offer(frameAt(5_000, 1))
    frames.offer(frameAt(5_100, 2))
    finish()
    await settle()
    frames.offer(frameAt(5_200, 3))
    finish()
    await settle()
    expect(ready.map(({ frame, isFirstOfConnection }) => [frame.takenAt, isFirstOfConnection])).toEqual([
      [0, true],
      [5_100, true],
      [5_200, false],
    ])
  })

  it('goes on after a consumer failed, with the loss counted and logged', async () => {
    const log = recordLog()
    const frames = createFrames([camera], { log })
    frames.onReady(async ({ frame }) => {
      if (frame.number === 1) throw new Error('worker died')
    })
    frames.offer(frameAt(0, 1))
    await settle()
    frames.offer(frameAt(100, 2))
    await settle()
    expect(frames.counters('gate', 'traffic')).toMatchObject({
      due: 2,
      delivered: 1,
      dropped: { 'consumer-failed': 1 },
    })
    expect(log.text()).toContain('worker died')
  })

  it('finishes the frame under way on stop and hands out no other', async () => {
    const frames = createFrames([camera], { log: recordLog() })
    let done = 0
    frames.onReady(async () => {
      await settle()
      done++
    })
    frames.offer(frameAt(0, 1))
    frames.offer(frameAt(100, 2))
    await frames.stop()
    frames.offer(frameAt(200, 3))
    expect(done).toBe(1)
    expect(frames.counters('gate', 'traffic')).toMatchObject({
      due: 3,
      delivered: 1,
      dropped: { stopped: 2 },
      pending: 0,
    })
  })
})
