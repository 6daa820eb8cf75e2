import { join } from 'node:path'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import {
  type CityStreams,
  type CityStreamsOptions,
  startCityStreams,
} from '../../scripts/simulated-city/streams/city-streams.js'
import { distort } from '../../scripts/simulated-city/streams/distort.js'
import { parseFaultOrder, parseScheduledFault } from '../../scripts/simulated-city/streams/faults.js'
import { until } from '../helpers/camera-fixture.js'
import { makeClip, temporaryFolder } from '../helpers/clips.js'
import { makeRamp, watchRamp } from './ramp.js'
import { openRtspClient, parseReport } from './rtsp-client.js'

const folder = temporaryFolder('streams-faults')
const ramp = join(folder, 'ramp.mp4')
const detailed = join(folder, 'detailed.mp4')
let city: CityStreams | undefined

beforeAll(() => {
  makeRamp(ramp)
  makeClip(detailed, { source: 'testsrc2=size=640x360:rate=25', seconds: 4 })
})
afterEach(() => city?.close())

const start = async (options: Partial<CityStreamsOptions> = {}): Promise<CityStreams> => {
  city = await startCityStreams({ sources: [{ name: 'ramp', file: ramp }], ...options })
  return city
}

describe('a fault on demand', () => {
  it('resets connections once, and clients may come back', async () => {
    const { streams, fault } = await start()
    const client = await openRtspClient(streams[0]!.url)
    await client.play()
    fault('ramp', { kind: 'drop' })
    await until('the reset', client.isClosed)
    const again = await openRtspClient(streams[0]!.url)
    expect((await again.play()).status).toBe(200)
  })

  it('resets new connections as long as the drop lasts, and those of no other stream', async () => {
    const { streams, fault } = await start({ sources: ['ramp', 'other'].map(name => ({ name, file: ramp })) })
    const [client, other] = [await openRtspClient(streams[0]!.url), await openRtspClient(streams[1]!.url)]
    await client.play()
    await other.play()
    const end = fault('ramp', { kind: 'drop', forS: 60 })
    await until('the reset', client.isClosed)
    const again = await openRtspClient(streams[0]!.url)
    await expect(again.request('DESCRIBE')).rejects.toThrow('closed')
    expect(other.isClosed()).toBe(false)
    end()
    const last = await openRtspClient(streams[0]!.url)
    expect((await last.play()).status).toBe(200)
  })

  it('stops media while RTSP still answers, then goes on with a key frame', async () => {
    const { streams, fault } = await start()
    const client = await openRtspClient(streams[0]!.url)
    const session = (await client.play()).header('Session')!
    await until('packets', () => client.packets.length > 10)
    const end = fault('ramp', { kind: 'stall' })
    const ask = () => client.request('GET_PARAMETER', { Session: session })
    // The answer comes behind the packets that were under way.
    await ask()
    const before = client.packets.length
    await until('frames held back', () => streams[0]!.stats.droppedFrames.stalled > 10)
    expect((await ask()).status).toBe(200)
    expect(client.packets.length).toBe(before)
    end()
    await until('packets again', () => client.packets.length > before)
    expect(client.packets[before]!.nalType).toBe(7)
  })

  it('shows the same frame again and again, and says that time goes on', async () => {
    const { streams, fault } = await start()
    const { seen } = watchRamp(streams[0]!.url)
    await until('pictures', () => seen.length > 10)
    const end = fault('ramp', { kind: 'freeze' })
    await until('a frozen picture', () => {
      const last = seen.slice(-20).map(({ sceneS }) => sceneS)
      return seen.length > 30 && Math.max(...last) - Math.min(...last) < 0.02
    })
    const frozenS = seen.at(-1)!.sceneS
    end()
    await until('the scene again', () => Math.abs(seen.at(-1)!.sceneS - frozenS) > 0.2)
  })

  it('leaves packets out at the given rate', async () => {
    const { streams, fault } = await start({ sources: [{ name: 'detailed', file: detailed }] })
    const client = await openRtspClient(streams[0]!.url)
    fault('detailed', { kind: 'loss', rate: 0.3 })
    await client.play()
    await until('many packets', () => client.packets.length > 400)
    const { packets } = client
    const missing = packets
      .slice(1)
      .reduce((sum, { sequence }, i) => sum + ((sequence - packets[i]!.sequence - 1) & 0xffff), 0)
    expect(missing / (missing + packets.length)).toBeGreaterThan(0.2)
    expect(missing / (missing + packets.length)).toBeLessThan(0.4)
    expect(streams[0]!.stats.lostPackets).toBeGreaterThan(0)
  })

  it.each(['corrupt', 'loss'] as const)(
    'makes ffmpeg complain of %s, and it recovers when the stream is sound',
    async kind => {
      const { streams, fault } = await start({ sources: [{ name: 'detailed', file: detailed }] })
      const viewer = watchRamp(streams[0]!.url, { transport: 'udp', size: [640, 360] })
      await until('pictures', () => viewer.seen.length > 5)
      const end = fault('detailed', { kind, rate: 0.3 })
      await until('complaints', () => /error|missed|corrupt|conceal|bad/i.test(viewer.messages()))
      end()
      const before = viewer.seen.length
      await until('pictures again', () => viewer.seen.length > before + 30)
      expect(viewer.exitCode()).toBeNull()
    },
    240_000,
  )

  it('sets the camera clock wrong in reports and time stamps, and right again afterwards', async () => {
    const { streams, fault } = await start()
    const client = await openRtspClient(streams[0]!.url)
    await client.play()
    await until('a report', () => client.reports.length > 0 && client.packets.length > 5)
    const timestampOf = () => client.packets.at(-1)!.timestamp
    const wrongByMs = () => parseReport(client.reports.at(-1)!).wallMs - Date.now()
    const before = timestampOf()
    const end = fault('ramp', { kind: 'wrong-clock', offsetS: 7200 })
    await until('a report with the wrong clock', () => wrongByMs() > 7_100_000)
    await until('a jump of the time stamps', () => ((timestampOf() - before) | 0) / 90_000 > 7100)
    end()
    await until('a report with the right clock', () => Math.abs(wrongByMs()) < 10_000)
    await until('the time stamps to jump back', () => ((timestampOf() - before) | 0) / 90_000 < 100)
  })

  it.each([401, 404, 503])('refuses with %i', async status => {
    const { streams, fault } = await start()
    fault('ramp', { kind: 'refuse', status, forS: 60 })
    const viewer = watchRamp(streams[0]!.url)
    await until('the refusal', () => viewer.exitCode() !== null)
    expect(viewer.messages()).toContain(String(status))
    expect(streams[0]!.faults).toEqual([{ kind: 'refuse', status }])
  })

  it('is refused for a stream that does not exist, with the names of those that do', async () => {
    const { fault } = await start()
    expect(() => fault('rampp', { kind: 'stall' })).toThrow('"rampp"; the streams are ramp')
  })
})

describe('a scheduled fault', () => {
  it('lasts from and until its seconds of the scene, in each repetition', async () => {
    const { streams } = await start({ speed: 5, faults: [parseScheduledFault('*:freeze@1-2')] })
    const active: number[] = []
    const quiet: number[] = []
    await until('two repetitions', () => {
      const before = streams[0]!.positionS
      const isActive = streams[0]!.faults.length > 0
      const { positionS } = streams[0]!
      // The position moves on between two readings, far when this process has to wait.
      if (Math.abs(positionS - before) < 0.1) (isActive ? active : quiet).push(positionS)
      return Date.now() - Date.parse(streams[0]!.startedAt!) > 2_200 && active.length > 5 && quiet.length > 5
    })
    expect(Math.min(...active)).toBeGreaterThan(0.9)
    expect(Math.max(...active)).toBeLessThan(2.1)
    expect(quiet.every(positionS => positionS < 1.1 || positionS > 1.9)).toBe(true)
  })

  it('must be meant for a stream that is served', async () => {
    await expect(start({ faults: [parseScheduledFault('gate:stall@1-2')] })).rejects.toThrow(
      '"gate", and the streams are ramp',
    )
  })
})

describe('the description of a fault', () => {
  it.each([
    ['gate:stall@10-20', { stream: 'gate', kind: 'stall', fromS: 10, untilS: 20 }],
    ['*:loss=0.25@0.5-2', { stream: '*', kind: 'loss', rate: 0.25, fromS: 0.5, untilS: 2 }],
    [
      'gate:wrong-clock=-60@3',
      { stream: 'gate', kind: 'wrong-clock', offsetS: -60, fromS: 3, untilS: Number.POSITIVE_INFINITY },
    ],
    ['gate:refuse=404@0-1', { stream: 'gate', kind: 'refuse', status: 404, fromS: 0, untilS: 1 }],
  ])('%s is understood', (text, expected) => {
    expect(parseScheduledFault(text)).toEqual(expected)
  })

  it.each([
    ['gate:stall', 'NAME:KIND@FROM-UNTIL'],
    ['gate:explode@1-2', 'use one of drop, stall'],
    ['gate:stall@2-1', 'ends before it begins'],
    ['gate:stall=3@1-2', 'stall takes no value'],
    ['gate:loss=7@1-2', 'a share of packets'],
    ['gate:refuse=200@1-2', 'one of 401, 403, 404, 503'],
  ])('%s is refused with what to write instead', (text, hint) => {
    expect(() => parseScheduledFault(text)).toThrow(hint)
  })

  it.each([
    ['stall', 'JSON object'],
    [{ kind: 'stall', forS: -1 }, 'seconds above 0'],
    [{ kind: 'stall', rate: 0.1 }, 'it takes forS'],
    [{ kind: 'loss', rate: 'much' }, 'must be a number'],
    [{ forS: 1 }, 'use one of'],
  ])('%j over HTTP is refused with what to send instead', (order, hint) => {
    expect(() => parseFaultOrder(order)).toThrow(hint)
  })
})

describe('damage', () => {
  const payloads = Array.from({ length: 200 }, (_, n) => Buffer.alloc(500, n))

  it('is the same for the same seed and picture, and another for others', () => {
    const hit = (seed: number, picture: number) =>
      Buffer.concat(distort(payloads, [{ kind: 'corrupt', rate: 0.2, seed }], picture).payloads as Buffer[]).toString(
        'base64',
      )
    const [once, again, otherSeed, otherPicture] = [hit(1, 5), hit(1, 5), hit(2, 5), hit(1, 6)]
    expect([again === once, otherSeed === once, otherPicture === once]).toEqual([true, false, false])
  })

  it('changes some bytes of the packets it hits and leaves the clip in memory alone', () => {
    const { payloads: arrived, corrupted, lost } = distort(payloads, [{ kind: 'corrupt', rate: 0.2 }], 1)
    expect(arrived.filter((payload, n) => !payload!.equals(payloads[n]!))).toHaveLength(corrupted)
    expect(corrupted).toBeGreaterThan(20)
    expect(corrupted).toBeLessThan(60)
    expect(lost).toBe(0)
    expect(payloads.every((payload, n) => payload.every(byte => byte === n))).toBe(true)
  })
})
