import { join } from 'node:path'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import {
  type CityStreams,
  type CityStreamsOptions,
  startCityStreams,
} from '../../scripts/simulated-city/streams/city-streams.js'
import { until } from '../helpers/camera-fixture.js'
import { makeClip, temporaryFolder } from '../helpers/clips.js'
import { makeRamp, watchRamp } from './ramp.js'
import { openRtspClient, parseReport, type RtpPacket } from './rtsp-client.js'

const folder = temporaryFolder('streams-rtsp')
const ramp = join(folder, 'ramp.mp4')
const large = join(folder, 'large.mp4')
const tcp = { Transport: 'RTP/AVP/TCP;unicast;interleaved=0-1' }
let city: CityStreams | undefined

beforeAll(() => {
  makeRamp(ramp)
  // Noise cannot be compressed: some megabytes a second.
  makeClip(large, { source: 'nullsrc=size=640x360:rate=25,geq=random(1)*255:128:128', seconds: 2 })
})
afterEach(() => city?.close())

const start = async (options: Partial<CityStreamsOptions> = {}): Promise<CityStreams> => {
  city = await startCityStreams({ sources: [{ name: 'ramp', file: ramp }], ...options })
  return city
}
const urlOf = ({ streams }: CityStreams): string => streams[0]!.url

/** The pictures that a series of packets carries, as series of packets. */
const picturesOf = (packets: readonly RtpPacket[]): RtpPacket[][] => {
  const pictures: RtpPacket[][] = [[]]
  for (const packet of packets) {
    pictures.at(-1)!.push(packet)
    if (packet.marker) pictures.push([])
  }
  return pictures.slice(0, -1)
}

describe('the RTSP server', () => {
  it('describes a live stream with what a decoder needs to start', async () => {
    const client = await openRtspClient(urlOf(await start()))
    const { status, header, body } = await client.request('DESCRIBE')
    expect([status, header('Content-Type')]).toEqual([200, 'application/sdp'])
    expect(body).toMatch(/^a=rtpmap:96 H264\/90000\r$/m)
    expect(body).toMatch(/sprop-parameter-sets=[\w+/]+={0,2},[\w+/]+={0,2}\r$/m)
    expect(body).toMatch(/^a=range:npt=now-\r$/m)
  })

  it.each([
    ['DESCRIBE', '/nothing', {}, 404],
    ['SETUP', '/ramp/trackID=0', { Transport: 'RTP/AVP;multicast;port=5000-5001' }, 461],
    ['SETUP', '/ramp/trackID=0', { Transport: 'RTP/SAVP;unicast;client_port=5000-5001' }, 461],
    ['PLAY', '/ramp', {}, 455],
    ['GET_PARAMETER', '/ramp', { Session: 'stranger' }, 454],
    ['RECORD', '/ramp', {}, 405],
    ['FLY', '/ramp', {}, 501],
    ['OPTIONS', '/ramp', {}, 200],
  ] as const)('answers %s %s %o with %i', async (method, path, headers, expected) => {
    const { port } = await start()
    const client = await openRtspClient(`rtsp://127.0.0.1:${port}/`)
    const { status } = await client.request(method, headers, `rtsp://127.0.0.1:${port}${path}`)
    expect(status).toBe(expected)
  })

  it('takes the first offer of a client that it can serve', async () => {
    const client = await openRtspClient(urlOf(await start()))
    const offers = `RTP/AVP;multicast;client_port=5000-5001, ${tcp.Transport}, RTP/AVP;unicast;client_port=5000-5001`
    expect((await client.request('SETUP', { Transport: offers })).header('Transport')).toContain('interleaved=0-1')
  })

  it('closes a connection that speaks something else', async () => {
    const client = await openRtspClient(urlOf(await start()))
    client.socket.write('GET / HTTP/1.1\r\nHost: camera\r\n\r\n')
    await until('the end of the connection', client.isClosed)
  })

  it('begins with a key frame and its parameter sets, then numbers, marks and times pictures in order', async () => {
    const client = await openRtspClient(urlOf(await start({ sources: [{ name: 'large', file: large }] })))
    const played = await client.play()
    await until('pictures', () => picturesOf(client.packets).length > 30)
    const { packets } = client
    const info = /seq=(\d+);rtptime=(\d+)/.exec(played.header('RTP-Info') ?? '')
    expect([packets[0]!.sequence, packets[0]!.timestamp]).toEqual([Number(info?.[1]), Number(info?.[2])])
    expect(packets.slice(0, 2).map(({ nalType }) => nalType)).toEqual([7, 8])
    expect(packets.every(({ sequence }, i) => i === 0 || sequence === ((packets[i - 1]!.sequence + 1) & 0xffff))).toBe(
      true,
    )
    expect(packets.every(({ payload }) => payload.length <= 1400)).toBe(true)
    const times = picturesOf(packets).map(picture => new Set(picture.map(({ timestamp }) => timestamp)))
    expect(times.every(({ size }) => size === 1)).toBe(true)
    const steps = times.slice(1).map((time, i) => ([...time][0]! - [...times[i]!][0]!) >>> 0)
    expect(steps.every(step => Math.abs(step - 90_000 / 25) <= 1)).toBe(true)
  })

  it('tells in sender reports which time of day a time stamp means', async () => {
    const client = await openRtspClient(urlOf(await start()))
    await client.play()
    await until('a report and pictures', () => client.reports.length > 0 && client.packets.length > 10)
    const { wallMs, timestamp } = parseReport(client.reports[0]!)
    expect(Math.abs(wallMs - Date.now())).toBeLessThan(10_000)
    // The newest picture was taken a moment ago on that clock.
    const last = client.packets.at(-1)!
    const takenMs = wallMs + (((last.timestamp - timestamp) | 0) / 90_000) * 1000
    expect(Date.now() - takenMs).toBeGreaterThan(-100)
    expect(Date.now() - takenMs).toBeLessThan(5_000)
  })

  it('pauses for one client, and goes on at the present moment', async () => {
    const started = await start()
    const client = await openRtspClient(urlOf(started))
    const session = (await client.play()).header('Session')!
    await until('packets', () => client.packets.length > 10)
    await client.request('PAUSE', { Session: session })
    expect(started.streams[0]!.stats.viewers).toBe(0)
    const before = client.packets.length
    expect((await client.request('GET_PARAMETER', { Session: session }, '*')).status).toBe(200)
    expect(client.packets.length).toBe(before)
    await client.request('PLAY', { Session: session })
    await until('packets again', () => client.packets.length > before + 10)
    await client.request('TEARDOWN', { Session: session })
    await until('the end of the connection', client.isClosed)
    expect(started.streams[0]!.stats).toMatchObject({ viewers: 0, plays: 2, teardowns: 1 })
  })

  it('forgets a client over UDP that is not heard of any more', async () => {
    const started = await start({ sessionTimeoutS: 5 })
    const client = await openRtspClient(urlOf(started))
    const { header } = await client.request('SETUP', { Transport: 'RTP/AVP;unicast;client_port=40000-40001' })
    const [session = ''] = header('Session')!.split(';')
    expect(header('Session')).toContain('timeout=5')
    await client.request('PLAY', { Session: session })
    expect(started.streams[0]!.stats.viewers).toBe(1)
    await until('the time-out', client.isClosed)
    expect(started.streams[0]!.stats.viewers).toBe(0)
  })

  it('keeps a client inside the connection that reads and says nothing', async () => {
    const started = await start({ sessionTimeoutS: 1 })
    const client = await openRtspClient(urlOf(started))
    await client.play()
    const first = performance.now()
    await until('three time-outs', () => performance.now() - first > 3_000)
    expect(client.isClosed()).toBe(false)
  })

  it('leaves out whole frames for a client that reads too slowly, counts them, and harms no other', async () => {
    const started = await start({ sources: [{ name: 'large', file: large }], speed: 4 })
    const { stats } = started.streams[0]!
    const [slow, quick] = [await openRtspClient(urlOf(started)), await openRtspClient(urlOf(started))]
    await slow.play()
    slow.socket.pause()
    await quick.play()
    await until('frames left out', () => stats.droppedFrames.slowViewer > 0)
    const seen = picturesOf(quick.packets).length
    await until('pictures of the other', () => picturesOf(quick.packets).length > seen + 10)
    const unread = slow.packets.length
    slow.socket.resume()
    const gap = (): number =>
      slow.packets.findIndex(
        ({ timestamp }, i) => i > 0 && (timestamp - slow.packets[i - 1]!.timestamp) >>> 0 > (2 * 22_500) / 25,
      )
    await until('the gap', () => slow.packets.length > unread && gap() > 0)
    // It goes on with the parameter sets of a key frame, and no number is missing: nothing was lost on the way.
    const [before, after] = [slow.packets[gap() - 1]!, slow.packets[gap()]!]
    expect([after.nalType, after.sequence]).toEqual([7, (before.sequence + 1) & 0xffff])
    expect(before.marker).toBe(true)
  }, 300_000)
})

describe('signing in', () => {
  const password = "p@ss:w/rd #'%41"
  const withPassword = (url: string, given: string): string =>
    url.replace('rtsp://', `rtsp://viewer:${encodeURIComponent(given)}@`)

  it.each(['basic', 'digest', undefined] as const)(
    'lets ffmpeg in by %s with the right password alone',
    async authentication => {
      const credentials = { user: 'viewer', password, ...(authentication === undefined ? {} : { authentication }) }
      const started = await start({ credentials })
      const good = watchRamp(withPassword(urlOf(started), password), { transport: 'udp' })
      const bad = watchRamp(withPassword(urlOf(started), 'wrong'))
      await until('both', () => good.seen.length > 0 && bad.exitCode() !== null)
      expect(bad.messages()).toContain('401')
    },
    240_000,
  )

  it('offers both kinds, and takes no answer to the question of another connection', async () => {
    const started = await start({ credentials: { user: 'viewer', password } })
    const client = await openRtspClient(urlOf(started))
    const { status, header } = await client.request('DESCRIBE')
    expect([status, header('WWW-Authenticate')]).toEqual([401, expect.stringContaining('Basic')])
    const stolen = 'Digest username="viewer", realm="simulated city", nonce="abc", uri="/", response="0123"'
    expect((await client.request('DESCRIBE', { Authorization: stolen })).status).toBe(401)
    expect((await client.request('OPTIONS')).status).toBe(200)
  })
})
