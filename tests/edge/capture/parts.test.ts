import { PassThrough } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createBackOff } from '../../../edge/capture/back-off.js'
import { diagnoseExit } from '../../../edge/capture/diagnosis.js'
import { livePlan } from '../../../edge/capture/ffmpeg-arguments.js'
import { readMessages } from '../../../edge/capture/ffmpeg-messages.js'
import { parseFfmpegVersion } from '../../../edge/capture/ffmpeg-tools.js'
import { createPictureAssembler } from '../../../edge/capture/picture-assembler.js'
import { redact } from '../../../edge/capture/redact.js'
import { createStartBunch } from '../../../edge/capture/start-bunch.js'
import { cameraOf } from '../../helpers/camera-fixture.js'

describe('picture assembler', () => {
  const picture = (fill: number) => Buffer.concat([Buffer.from('P6\n2 3\n255\n'), Buffer.alloc(18, fill)])

  it.each([1, 2, 7, 29, 30, 64, 1000])('puts pictures together from pieces of %i bytes', size => {
    const stream = Buffer.concat([picture(10), picture(13), picture(32)])
    const assembler = createPictureAssembler()
    const pictures = []
    for (let at = 0; at < stream.length; at += size) pictures.push(...assembler.push(stream.subarray(at, at + size)))
    expect(pictures.map(({ width, height, pixels }) => [width, height, new Set(pixels)])).toEqual([
      [2, 3, new Set([10])],
      [2, 3, new Set([13])],
      [2, 3, new Set([32])],
    ])
  })

  it.each([
    'garbage that is no picture',
    'P5\n2 3\n255\nxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx',
    'P6\n99999 99999\n255\n',
  ])('refuses %j instead of showing noise', text => {
    expect(() => [...createPictureAssembler().push(Buffer.from(text))]).toThrow(RangeError)
  })
})

describe('back-off', () => {
  it('doubles up to the ceiling, spread over half of each delay, and starts anew after a reset', () => {
    const backOff = createBackOff({ baseMs: 500, ceilingMs: 30_000, random: () => 1 })
    expect(Array.from({ length: 8 }, () => backOff.nextMs())).toEqual([
      500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000,
    ])
    backOff.reset()
    expect(backOff.nextMs()).toBe(500)
    expect(createBackOff({ baseMs: 500, ceilingMs: 30_000, random: () => 0 }).nextMs()).toBe(250)
  })
})

describe('start of a stream', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  const pushed = (distancesMs: readonly number[]) => {
    const delivered: [picture: number, agoMs: number][] = []
    const bunch = createStartBunch<number>(200, (picture, agoMs) => delivered.push([picture, agoMs]))
    for (const [index, distanceMs] of distancesMs.entries()) {
      bunch.push(index + 1)
      vi.advanceTimersByTime(distanceMs)
    }
    bunch.close()
    vi.runAllTimers()
    return delivered
  }

  it('gives only the newest picture of the bunch, says how old it is, and then every picture at once', () => {
    expect(pushed([8, 9, 99, 200, 5, 200])).toEqual([
      [4, 100],
      [5, 0],
      [6, 0],
    ])
  })

  it('takes a source as it is whose pictures keep coming too fast', () => {
    const [first, second] = pushed(Array.from({ length: 50 }, () => 90))
    expect(first).toEqual([35, 0])
    expect(second).toEqual([36, 0])
  })

  it('gives nothing after its end', () => {
    expect(pushed([50])).toEqual([])
  })
})

describe('redaction', () => {
  it.each([
    ['rtsp://user:pass@10.0.0.5/x: Connection refused', 'rtsp://***@10.0.0.5/x: Connection refused'],
    ["Impossible to open 'rtsp://user:p@ss@cam/1'", "Impossible to open 'rtsp://***@cam/1'"],
    ['http://user@cam:8080/video', 'http://***@cam:8080/video'],
    ['Authorization: Basic dXNlcjpwYXNz', 'Authorization: Basic ***'],
    ['mail me@example.org about rtsp://cam/1', 'mail me@example.org about rtsp://cam/1'],
  ])('turns %s into %s', (text, expected) => {
    expect(redact(text)).toBe(expected)
  })

  it('takes known secrets out wherever they stand', () => {
    expect(redact('the password s3cret is wrong', ['s3cret'])).toBe('the password *** is wrong')
  })
})

describe('ffmpeg', () => {
  it.each([
    ['ffmpeg version 5.1.9-0+deb12u1 Copyright', [5, 1]],
    ['ffmpeg version n7.1 Copyright', [7, 1]],
    ['ffmpeg version 4.4.2-0ubuntu0.22.04.1', [4, 4]],
    ['ffmpeg version N-112233-gabcdef', [99, 0]],
  ])('knows the version in "%s"', (text, version) => {
    expect(parseFfmpegVersion(text)).toEqual(version)
  })

  it('gets the address as a playlist, and options by the names of its version', () => {
    const camera = cameraOf({ kind: 'rtsp', url: 'rtsp://cam/1', transport: 'udp' })
    const plan = (version: readonly [number, number]) =>
      livePlan({ camera, location: "rtsp://u:it's@cam/1", fps: 5, keyFramesOnly: true, version })
    const modern = plan([5, 1])
    expect(modern.args.join(' ')).not.toContain('u:it')
    expect(modern.args).toEqual(expect.arrayContaining(['-skip_frame', 'nokey', '-fps_mode', 'passthrough']))
    expect(modern.playlist).toContain("file 'rtsp://u:it'\\''s@cam/1'")
    expect(modern.playlist).toContain('option rtsp_transport udp')
    expect(modern.playlist).toContain('option timeout 5000000')
    const old = plan([4, 4])
    expect(old.playlist).toBeUndefined()
    expect(old.args).toEqual(
      expect.arrayContaining(['-stimeout', '5000000', '-vsync', 'passthrough', '-rtsp_transport', 'udp']),
    )
  })

  it('has its decode errors counted apart from the lines that explain an exit', async () => {
    const stderr = new PassThrough()
    const messages = readMessages(stderr, ['geheim'])
    const errors: string[] = []
    messages.onDecodeError(line => errors.push(line))
    stderr.write('[h264 @ 0x55d] [error] error while decoding MB 3 4\n[rtsp @ 0x1] [err')
    stderr.end('or] method DESCRIBE failed: 401 Unauthorized geheim\n')
    await new Promise(resolve => stderr.on('close', resolve))
    expect(errors).toHaveLength(1)
    expect(messages.lines()).toEqual(['[rtsp @ 0x1] [error] method DESCRIBE failed: 401 Unauthorized ***'])
  })

  it('tells codec and rate of the source, and nothing else of what it says without need', async () => {
    const stderr = new PassThrough()
    const messages = readMessages(stderr, [])
    expect(messages.video()).toBeNull()
    stderr.write("[info] Input #0, concat, from '/dev/fd/3':\n")
    stderr.write('[info]   Stream #0:0: Video: h264 (High), yuv420p(progressive), 640x360, 12.50 fps, 1 tbr, 90k tbn\n')
    stderr.write('[info]   Stream #0:0: Video: ppm, rgb24(pc, gbr), 640x360, q=2-31, 200 kb/s, 5 fps, 5 tbn\n')
    stderr.end('[swscaler @ 0x1] [info] something\n[error] what went wrong\n')
    await new Promise(resolve => stderr.on('close', resolve))
    expect(messages.video()).toEqual({ codec: 'h264', fps: 12.5 })
    expect(messages.lines()).toEqual(['[error] what went wrong'])
  })

  it.each([
    ['Server returned 401 Unauthorized (authorization failed)', 'unauthorised'],
    ['method DESCRIBE failed: 403 Forbidden', 'unauthorised'],
    ['Connection to tcp://127.0.0.1:9 failed: Connection refused', 'offline'],
    ['Failed to resolve hostname cam.invalid: Name or service not known', 'offline'],
    ['rtsp://cam/1: Connection timed out', 'offline'],
    ['[mov @ 0x1] moov atom not found', 'not-a-video'],
    ['rtsp://cam/1: Invalid data found when processing input', 'not-a-video'],
    ['', 'offline'],
  ])('exit after "%s" means %s', (line, condition) => {
    const diagnosis = diagnoseExit({ lines: line === '' ? [] : [line], pictures: 0, kind: 'rtsp' })
    expect(diagnosis.condition).toBe(condition)
    expect(diagnosis.hint.length).toBeGreaterThan(10)
  })

  it('does not call a camera that has shown pictures "not a video" because of one bad packet', () => {
    const lines = ['[rtsp @ 0x1] Invalid data found when processing input']
    expect(diagnoseExit({ lines, pictures: 500, kind: 'rtsp' }).condition).toBe('offline')
  })
})
