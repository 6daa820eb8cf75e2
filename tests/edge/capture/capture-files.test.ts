import { spawn as nodeSpawn } from 'node:child_process'
import { EventEmitter } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Capture, createCapture } from '../../../edge/capture/capture.js'
import type { ConditionChange } from '../../../edge/capture/condition-tracker.js'
import type { CameraConfig } from '../../../edge/config/agent-config.js'
import type { Frame } from '../../../edge/frames/frame.js'
import { cameraOf, perSecond, recordLog, until } from '../../helpers/camera-fixture.js'
import { makeClip, temporaryFolder } from '../../helpers/clips.js'

const folder = temporaryFolder('capture-files')
const clip = join(folder, 'clip.mp4')
let capture: Capture | undefined

beforeAll(() => {
  makeClip(clip, { source: 'testsrc=size=320x180:rate=25', seconds: 2 })
})
afterEach(async () => {
  await capture?.stop()
  capture = undefined
})

const observe = async (camera: CameraConfig) => {
  const frames: Frame[] = []
  const changes: ConditionChange[] = []
  capture = createCapture([camera], { log: recordLog(), dataDir: temporaryFolder('capture-data') })
  capture.onFrame(frame => frames.push(frame))
  capture.onCondition(change => changes.push(change))
  await capture.start()
  return { frames, changes, capture }
}

const pictureFile = async (path: string, colour: string, width = 64, height = 36) => {
  await sharp({ create: { width, height, channels: 3, background: colour } }).toFile(path)
}

describe('capture from files', () => {
  it('plays a file at its own speed and ends with it, which is no loss', async () => {
    const startedAt = performance.now()
    const { frames, changes, capture } = await observe(cameraOf({ kind: 'file', path: clip, loop: false }, { fps: 5 }))
    await until('the end', () => capture.status('gate')!.state === 'ended')
    expect(performance.now() - startedAt).toBeGreaterThan(1_800)
    // Slots lie around the multiples of 0.2 s, so 2 s touch eleven of them.
    expect(frames).toHaveLength(11)
    expect(capture.status('gate')).toMatchObject({ reconnects: 0, condition: null, frames: 11 })
    expect(changes).toEqual([])
  })

  it('goes on beyond the end of a looping file without a break', async () => {
    const { frames, capture } = await observe(cameraOf({ kind: 'file', path: clip, loop: true }, { fps: 5 }))
    await until('four repetitions', () => frames.length >= 44)
    expect(frames.map(frame => frame.number)).toEqual(frames.map((_, index) => index + 1))
    // The clip holds ten frames. A busy machine may hold one back anywhere; a break would be at every beginning.
    const gapAt = (index: number) => frames[index]!.takenAt - frames[index - 1]!.takenAt
    const atBeginnings = [10, 20, 30, 40].map(begin => Math.max(...[-1, 0, 1].map(near => gapAt(begin + near))))
    expect(Math.min(...atBeginnings)).toBeLessThan(700)
    expect(capture.status('gate')).toMatchObject({ state: 'streaming', reconnects: 0 })
  })

  it('blackens the privacy masks in every frame, and nothing else', async () => {
    const mask: [number, number][] = [
      [0.25, 0.25],
      [0.75, 0.25],
      [0.75, 0.75],
      [0.25, 0.75],
    ]
    const white = makeClip(join(folder, 'white.mp4'), { source: 'color=c=white:size=320x180:rate=25', seconds: 1 })
    const { frames } = await observe(cameraOf({ kind: 'file', path: white }, { privacyMasks: [mask] }))
    await until('frames', () => frames.length >= 3)
    for (const frame of frames) {
      const { width, height, pixels } = frame
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++) {
          const inside = x >= width * 0.25 && x < width * 0.75 && y >= height * 0.25 && y < height * 0.75
          const outside = x < width * 0.25 - 2 || x > width * 0.75 + 2 || y < height * 0.25 - 2 || y > height * 0.75 + 2
          const value = pixels[(y * width + x) * 3]!
          if (inside && value !== 0) expect.fail(`visible at ${x},${y}`)
          if (outside && value < 230) expect.fail(`blackened at ${x},${y}`)
        }
      }
    }
  })

  it('keeps the display aspect of a source with oblong pixels', async () => {
    const oblong = makeClip(join(folder, 'oblong.mp4'), {
      source: 'testsrc=size=352x288:rate=5,setsar=12/11',
      seconds: 1,
    })
    const { frames } = await observe(cameraOf({ kind: 'file', path: oblong }, { width: 320 }))
    await until('a frame', () => frames.length > 0)
    expect([frames[0]!.width, frames[0]!.height]).toEqual([320, 240])
  })

  it.each([
    ['text.mp4', 'This is not a video.', 'not-a-video', 'ffprobe'],
    ['missing.mp4', undefined, 'offline', 'source.path'],
  ])('reports %s with a hint and leaves the other cameras alone', async (name, content, condition, hint) => {
    const path = join(folder, name)
    if (content !== undefined) writeFileSync(path, content)
    const { changes } = await observe(cameraOf({ kind: 'file', path }, { stallSeconds: 2 }))
    await until('a condition', () => changes.length > 0)
    expect(changes[0]).toMatchObject({ condition, phase: 'began' })
    expect(changes[0]!.hint).toContain(hint)
  })

  it('tries again when no descriptors are left to start ffmpeg with', async () => {
    let starts = 0
    // What Node gives at EMFILE: a child without pipes, whose error comes a moment later and which is never closed.
    const spawn = ((...args: Parameters<typeof nodeSpawn>) => {
      if (starts++ > 0) return nodeSpawn(...args)
      const child = new EventEmitter()
      process.nextTick(() => child.emit('error', new Error('spawn ffmpeg EMFILE')))
      return child
    }) as typeof nodeSpawn
    const frames: Frame[] = []
    capture = createCapture([cameraOf({ kind: 'file', path: clip })], {
      log: recordLog(),
      dataDir: temporaryFolder('capture-data'),
      spawn,
    })
    capture.onFrame(frame => frames.push(frame))
    await capture.start()
    await until('a frame', () => frames.length > 0)
    expect(starts).toBeGreaterThan(1)
  })

  it('does not take a camera that is looked at every few seconds for stalled', async () => {
    const slow = cameraOf({ kind: 'file', path: clip, loop: true }, { fps: 0.25, stallSeconds: 2 })
    const { frames, changes, capture } = await observe(slow)
    await until('three frames', () => frames.length >= 3)
    expect(changes).toEqual([])
    expect(capture.status('gate')!.reconnects).toBe(0)
  })

  it('shows a folder in the order of its names, at its own pace, over a broken picture', async () => {
    const pictures = join(folder, 'pictures')
    mkdirSync(pictures)
    await pictureFile(join(pictures, '2.jpg'), '#00ff00')
    await pictureFile(join(pictures, '10.png'), '#0000ff', 128, 72)
    await pictureFile(join(pictures, '1.jpg'), '#ff0000')
    writeFileSync(join(pictures, '3.jpg'), 'broken')
    const { frames, capture } = await observe(cameraOf({ kind: 'folder', path: pictures, fps: 4 }, { width: 64 }))
    await until('the end', () => capture.status('gate')!.state === 'ended')
    const strongest = frames.map(
      ({ pixels }) => ['red', 'green', 'blue'][[...pixels.subarray(0, 3)].findIndex(v => v > 200)],
    )
    expect(strongest).toEqual(['red', 'green', 'blue'])
    expect(frames.map(frame => [frame.width, frame.height])).toEqual([
      [64, 36],
      [64, 36],
      [64, 36],
    ])
    expect(frames[2]!.takenAt - frames[0]!.takenAt).toBeGreaterThan(700)
    expect(capture.status('gate')!.decodeErrors).toBe(1)
  })

  it('reports an empty folder', async () => {
    const empty = temporaryFolder('empty')
    const { changes } = await observe(cameraOf({ kind: 'folder', path: empty }))
    await until('a condition', () => changes.length > 0)
    expect(changes[0]).toMatchObject({ condition: 'not-a-video', phase: 'began' })
    expect(changes[0]!.message).toContain(empty)
  })

  it('reads Motion JPEG over HTTP, with the credentials of its address out of sight', async () => {
    const pictures = await Promise.all(
      ['#ff0000', '#00ff00'].map(background =>
        sharp({ create: { width: 64, height: 36, channels: 3, background } })
          .jpeg()
          .toBuffer(),
      ),
    )
    const server = createServer((request, response) => {
      if (request.headers.authorization !== `Basic ${Buffer.from('viewer:geheim').toString('base64')}`) {
        response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="camera"' }).end()
        return
      }
      response.writeHead(200, { 'Content-Type': 'multipart/x-mixed-replace; boundary=frame' })
      let n = 0
      const timer = setInterval(() => {
        const picture = pictures[n++ % 2]!
        response.write(`--frame\r\nContent-Type: image/jpeg\r\nContent-Length: ${picture.length}\r\n\r\n`)
        response.write(picture)
        response.write('\r\n')
      }, 100)
      request.on('close', () => clearInterval(timer))
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const url = `http://viewer:geheim@127.0.0.1:${port}/video`
    const { frames } = await observe(cameraOf({ kind: 'mjpeg', url }, { width: 64, fps: 5 }))
    // Of the ten a second that are sent.
    await until('the cadence asked for', () => frames.length >= 12 && Math.abs(perSecond(frames.slice(-7)) - 5) < 1.5)
    await capture!.stop()
    server.closeAllConnections()
    server.close()
  })

  it('refuses to start without ffmpeg and says how to get it', async () => {
    const before = process.env.FFMPEG_PATH
    process.env.FFMPEG_PATH = '/does/not/exist/ffmpeg'
    try {
      const failing = createCapture([cameraOf({ kind: 'file', path: clip })], { log: recordLog(), dataDir: folder })
      await expect(failing.start()).rejects.toMatchObject({ name: 'CaptureError', code: 'ffmpeg-missing' })
      await expect(failing.start()).rejects.toThrow('apt install ffmpeg')
    } finally {
      if (before === undefined) delete process.env.FFMPEG_PATH
      else process.env.FFMPEG_PATH = before
    }
  })
})
