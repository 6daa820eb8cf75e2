import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import { beforeAll, describe, expect, it } from 'vitest'
import { replayFrames, replaySource } from '../../../edge/capture/replay.js'
import type { SourceConfig } from '../../../edge/config/agent-config.js'
import type { Frame } from '../../../edge/frames/frame.js'
import { cameraOf } from '../../helpers/camera-fixture.js'
import { makeClip, temporaryFolder } from '../../helpers/clips.js'

const folder = temporaryFolder('replay')
const clip = join(folder, 'clip.mp4')
const startedAt = Date.UTC(2026, 9, 27, 3, 4, 5)

beforeAll(() => {
  makeClip(clip, { source: 'testsrc=size=320x180:rate=25', seconds: 8 })
})

const replay = async (source: SourceConfig, fps = 5): Promise<Frame[]> => {
  const frames: Frame[] = []
  for await (const frame of replayFrames(source, cameraOf(source, { fps, width: 160 }), { startedAt }))
    frames.push(frame)
  return frames
}
const childrenOfThis = () => readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').trim()

describe('replay', () => {
  it('gives every frame of the cadence with exact times, faster than real time', async () => {
    // Long enough for a busy machine to start ffmpeg and still be faster.
    const long = makeClip(join(folder, 'long.mp4'), { source: 'testsrc=size=320x180:rate=5', seconds: 60 })
    const begin = performance.now()
    const frames = await replay(replaySource(long))
    expect(performance.now() - begin).toBeLessThan(50_000)
    expect(frames.map(frame => frame.takenAt)).toEqual(Array.from({ length: 300 }, (_, n) => startedAt + n * 200))
    expect(frames.map(frame => frame.number)).toEqual(frames.map((_, index) => index + 1))
    expect([frames[0]!.width, frames[0]!.height]).toEqual([160, 90])
  })

  it('gives the same frames again', async () => {
    const [first, second] = [await replay(replaySource(clip), 1), await replay(replaySource(clip), 1)]
    expect(first.map(frame => Buffer.from(frame.pixels).toString('base64'))).toEqual(
      second.map(frame => Buffer.from(frame.pixels).toString('base64')),
    )
  })

  it('waits for a slow consumer and loses nothing', async () => {
    const source = replaySource(clip)
    const numbers: number[] = []
    for await (const frame of replayFrames(source, cameraOf(source, { fps: 25, width: 640 }), { startedAt })) {
      numbers.push(frame.number)
      if (frame.number % 20 === 0) await new Promise(resolve => setTimeout(resolve, 50))
    }
    expect(numbers).toEqual(Array.from({ length: 200 }, (_, n) => n + 1))
  })

  it('does not double the frames of a recording slower than the cadence', async () => {
    const slow = makeClip(join(folder, 'slow.mp4'), { source: 'testsrc=size=320x180:rate=2', seconds: 4 })
    const frames = await replay(replaySource(slow), 8)
    expect(frames.map(frame => frame.takenAt - startedAt)).toEqual([0, 500, 1000, 1500, 2000, 2500, 3000, 3500])
  })

  it('leaves no ffmpeg behind when the consumer stops early or the signal is given', async () => {
    const source = replaySource(clip)
    const camera = cameraOf(source, { fps: 25, width: 640 })
    const before = childrenOfThis()
    for await (const frame of replayFrames(source, camera, { startedAt })) if (frame.number === 3) break
    const stopping = new AbortController()
    const frames: Frame[] = []
    for await (const frame of replayFrames(source, camera, { startedAt, signal: stopping.signal })) {
      frames.push(frame)
      if (frame.number === 3) stopping.abort()
    }
    expect(frames).toHaveLength(3)
    expect(childrenOfThis()).toBe(before)
  })

  it('replays a folder of pictures', async () => {
    const pictures = join(folder, 'pictures')
    mkdirSync(pictures)
    for (const name of ['a.jpg', 'b.jpg', 'c.jpg']) {
      await sharp({ create: { width: 64, height: 48, channels: 3, background: '#808080' } }).toFile(
        join(pictures, name),
      )
    }
    const frames = await replay({ kind: 'folder', path: pictures, fps: 2, loop: false })
    expect(frames.map(frame => frame.takenAt - startedAt)).toEqual([0, 500, 1000])
    expect([frames[0]!.width, frames[0]!.height]).toEqual([160, 120])
  })

  it('rejects what is not there, not a video or without pictures, each with its hint', async () => {
    expect(() => replaySource('/does/not/exist.mp4')).toThrow('Check the path')
    const text = join(folder, 'text.mp4')
    writeFileSync(text, 'not a video')
    await expect(replay(replaySource(text))).rejects.toMatchObject({ name: 'CaptureError', code: 'not-a-video' })
    await expect(replay(replaySource(temporaryFolder('empty')))).rejects.toMatchObject({ code: 'no-frames' })
    await expect(replay({ kind: 'rtsp', url: 'rtsp://h/x', transport: 'tcp' })).rejects.toMatchObject({
      code: 'unsupported-source',
    })
  })

  it('gives the frames before the break of a truncated recording', async () => {
    const mkv = makeClip(join(folder, 'whole.mkv'), { source: 'testsrc=size=320x180:rate=25', seconds: 8 })
    const bytes = readFileSync(mkv)
    const cut = join(folder, 'cut.mkv')
    writeFileSync(cut, bytes.subarray(0, bytes.length / 2))
    const frames: Frame[] = []
    const source = replaySource(cut)
    let error: unknown
    try {
      for await (const frame of replayFrames(source, cameraOf(source, { fps: 5 }), { startedAt })) frames.push(frame)
    } catch (caught) {
      error = caught
    }
    expect(frames.length).toBeGreaterThan(10)
    expect(frames.length).toBeLessThan(40)
    if (error !== undefined) expect(error).toMatchObject({ name: 'CaptureError', code: 'source-broken' })
  })
})
