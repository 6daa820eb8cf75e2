import { join } from 'node:path'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import {
  type CityStreams,
  type CityStreamsOptions,
  startCityStreams,
} from '../../scripts/simulated-city/streams/city-streams.js'
import { until } from '../helpers/camera-fixture.js'
import { temporaryFolder } from '../helpers/clips.js'
import { lagS, makeRamp, rampFps, rampS, watchRamp } from './ramp.js'

const folder = temporaryFolder('streams-live')
const ramp = join(folder, 'ramp.mp4')
const rareKeys = join(folder, 'rare.mp4')
let city: CityStreams | undefined

beforeAll(() => {
  makeRamp(ramp)
  makeRamp(rareKeys, { keyFrameEvery: 100 })
})
afterEach(() => city?.close())

const start = async (options: Partial<CityStreamsOptions> = {}): Promise<CityStreams> => {
  city = await startCityStreams({ sources: [{ name: 'ramp', file: ramp }], ...options })
  return city
}
const frameS = 1 / rampFps
/** Brightness tells the frame to about one step. */
const readingErrorS = 2 * frameS

describe('the position of a stream', () => {
  it.each([
    { transport: 'tcp', speed: 1 },
    { transport: 'udp', speed: 1 },
    { transport: 'tcp', speed: 3 },
  ] as const)(
    'is what clients see over $transport at speed $speed',
    async ({ transport, speed }) => {
      const { streams } = await start({ speed })
      const { seen } = watchRamp(streams[0]!.url, { transport, clock: () => streams[0]!.positionS })
      await until(
        'a whole repetition and the beginning of the next',
        () => seen.length > (rampS + 1) * rampFps,
        120_000,
      )
      const lags = seen.map(({ sceneS, at }) => lagS(at, sceneS))
      // Never before its moment; a busy machine may show a frame late, so the best of them is what tells.
      expect(Math.min(...lags)).toBeGreaterThan(-readingErrorS)
      expect(Math.min(...lags)).toBeLessThan(0.3 * speed + readingErrorS)
      const steps = seen.slice(1).map(({ sceneS }, index) => lagS(sceneS, seen[index]!.sceneS))
      expect(steps.every(step => Math.abs(step - frameS) < 2 * readingErrorS)).toBe(true)
    },
    240_000,
  )

  it('follows from the time of the start, so that wall time can be turned into scene time', async () => {
    const { streams } = await start({ speed: 2 })
    const [stream] = streams
    await until('the second repetition', () => Date.now() - Date.parse(stream!.startedAt!) > (rampS / 2) * 1000 + 500)
    const expected = (((Date.now() - Date.parse(stream!.startedAt!)) / 1000) * 2) % rampS
    expect(Math.abs(lagS(stream!.positionS, expected))).toBeLessThan(0.2)
  })

  it('is the same for clients that join at different times', async () => {
    const { streams } = await start()
    const { url } = streams[0]!
    const first = watchRamp(url)
    await until('pictures', () => first.seen.length > 20)
    const second = watchRamp(url, { transport: 'udp' })
    await until('more pictures', () => second.seen.length > 60)
    const apartS = second.seen.map(({ sceneS, at }) => {
      const beside = first.seen.reduce((best, seen) => (Math.abs(seen.at - at) < Math.abs(best.at - at) ? seen : best))
      return Math.abs(lagS(sceneS, beside.sceneS) - (at - beside.at) / 1000)
    })
    // A busy machine may show some of them late.
    expect(apartS.toSorted((a, b) => a - b)[Math.floor(apartS.length / 2)]).toBeLessThan(0.5)
  }, 240_000)

  it('is shown at once to a client that joins between key frames far apart', async () => {
    // Slow, so that ffmpeg can take its time to join before the next key frame.
    const { streams } = await start({ sources: [{ name: 'ramp', file: rareKeys }], speed: 0.1 })
    await until('some time after the key frame', () => streams[0]!.positionS > 0.5)
    const joinedAt = streams[0]!.positionS
    const { seen } = watchRamp(streams[0]!.url, { clock: () => streams[0]!.positionS })
    await until('the present moment', () => seen.some(({ sceneS }) => sceneS > joinedAt))
    // The key frame at second 0 and all that came since; the next one is at second 4.
    expect(seen[0]!.sceneS).toBeLessThan(readingErrorS)
    expect(seen.find(({ sceneS }) => sceneS > joinedAt)!.sceneS).toBeLessThan(4)
  })
})

describe('the beginning and the end', () => {
  it('are the same moment for all streams, begun by the first client that plays', async () => {
    const began: string[] = []
    const { streams } = await start({
      sources: ['a', 'b'].map(name => ({ name, file: ramp })),
      start: 'first-viewer',
      onChange: ({ name, state }) => began.push(`${name} ${state}`),
    })
    expect(streams.map(({ state, startedAt, positionS }) => [state, startedAt, positionS])).toEqual([
      ['waiting', null, 0],
      ['waiting', null, 0],
    ])
    const { seen } = watchRamp(streams[1]!.url)
    await until('pictures', () => seen.length > 5)
    expect(began).toEqual(['a live', 'b live'])
    expect(streams[0]!.startedAt).not.toBeNull()
    expect(streams[0]!.startedAt).toBe(streams[1]!.startedAt)
    expect(seen[0]!.sceneS).toBeLessThan(readingErrorS)
  })

  it('wait for a word while clients warm up on the first picture', async () => {
    const { streams, begin } = await start({ start: 'by-hand' })
    const { seen } = watchRamp(streams[0]!.url)
    await until('still pictures', () => seen.length > 5)
    expect(seen.every(({ sceneS }) => Math.abs(sceneS) < readingErrorS)).toBe(true)
    begin()
    const { startedAt } = streams[0]!
    await until('the scene', () => seen.at(-1)!.sceneS > 1)
    begin()
    expect(streams[0]!.startedAt).toBe(startedAt)
  })

  it('ends a clip that is shown once: clients come to an end and find nothing afterwards', async () => {
    const { streams, begin } = await start({ loop: false, speed: 2, start: 'by-hand' })
    const { url } = streams[0]!
    const [tcp, udp] = [watchRamp(url), watchRamp(url, { transport: 'udp' })]
    await until('both watch', () => tcp.seen.length > 0 && udp.seen.length > 0)
    begin()
    await until('the end of both', () => tcp.exitCode() !== null && udp.exitCode() !== null)
    expect([tcp.exitCode(), udp.exitCode()]).toEqual([0, 0])
    expect(tcp.seen.at(-1)!.sceneS).toBeGreaterThan(rampS - 5 * frameS)
    expect(udp.seen.at(-1)!.sceneS).toBeGreaterThan(rampS - 5 * frameS)
    expect(streams[0]).toMatchObject({ state: 'ended', positionS: rampS })
    const late = watchRamp(url)
    await until('the refusal', () => late.exitCode() !== null)
    expect(late.messages()).toContain('404')
  }, 240_000)
})
