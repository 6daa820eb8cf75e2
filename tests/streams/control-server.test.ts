import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type CityStreams, startCityStreams } from '../../scripts/simulated-city/streams/city-streams.js'
import { until } from '../helpers/camera-fixture.js'
import { temporaryFolder } from '../helpers/clips.js'
import { makeRamp } from './ramp.js'

let city: CityStreams

beforeAll(async () => {
  const ramp = makeRamp(join(temporaryFolder('streams-control'), 'ramp.mp4'))
  city = await startCityStreams({ sources: [{ name: 'ramp', file: ramp }], controlPort: 0, start: 'by-hand' })
})
afterAll(() => city.close())

const call = async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => {
  const reply = await fetch(`${city.controlUrl}${path}`, {
    method,
    headers,
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  return { status: reply.status, body: await reply.json() }
}

describe('the control address', () => {
  it('begins streams that wait, and tells where they are', async () => {
    expect((await call('GET', '/streams')).body.streams[0]).toMatchObject({
      state: 'waiting',
      startedAt: null,
      positionS: 0,
    })
    const begun = await call('POST', '/begin')
    expect(begun.body.streams[0]).toMatchObject({ name: 'ramp', state: 'live', durationS: 5, speed: 1, loop: true })
    await until('the position to move', () => city.streams[0]!.positionS > 0.2)
    const { body } = await call('GET', '/streams/ramp')
    expect(body.positionS).toBeGreaterThan(0)
    expect(body.stats).toMatchObject({ viewers: 0, sentFrames: 0, droppedFrames: { slowViewer: 0 } })
  })

  it('makes faults for a time, and ends them early', async () => {
    expect((await call('POST', '/streams/ramp/faults', { kind: 'stall', forS: 60 })).body.faults).toEqual([
      { kind: 'stall' },
    ])
    expect((await call('POST', '/streams/ramp/faults', { kind: 'loss', rate: 0.5 })).body.faults).toHaveLength(2)
    expect((await call('DELETE', '/streams/ramp/faults')).body.faults).toEqual([])
    await call('POST', '/streams/ramp/faults', { kind: 'freeze', forS: 0.3 })
    await until('the end of the fault', () => city.streams[0]!.faults.length === 0)
  })

  it.each([
    ['POST', '/streams/ramp/faults', { kind: 'fire' }, 400, '"fire" is no kind of fault'],
    ['POST', '/streams/ramp/faults', 'stall', 400, 'not JSON'],
    ['POST', '/streams/ramp/faults', `"${'x'.repeat(20_000)}"`, 413, 'too long'],
    ['POST', '/streams/gate/faults', { kind: 'stall' }, 404, 'the streams are ramp'],
    ['GET', '/stream', undefined, 404, 'GET /streams'],
    ['PUT', '/streams', {}, 404, 'POST /begin'],
    ['GET', '/streams/%', undefined, 404, 'the streams are ramp'],
  ])('answers %s %s %j with %i and what to do', async (method, path, body, status, hint) => {
    const answer = await call(method, path, body)
    expect(answer.status).toBe(status)
    expect(answer.body.detail).toContain(hint)
  })

  it('is not for pages of the web', async () => {
    const { status } = await call('POST', '/streams/ramp/faults', { kind: 'stall' }, { origin: 'http://example.com' })
    expect(status).toBe(403)
    expect(city.streams[0]!.faults).toEqual([])
  })
})
