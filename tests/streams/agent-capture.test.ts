import { join } from 'node:path'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Capture, createCapture } from '../../edge/capture/capture.js'
import type { ConditionChange } from '../../edge/capture/condition-tracker.js'
import type { Frame } from '../../edge/frames/frame.js'
import { type CityStreams, startCityStreams } from '../../scripts/simulated-city/streams/city-streams.js'
import { cameraOf, perSecond, recordLog, until } from '../helpers/camera-fixture.js'
import { makeClip, temporaryFolder } from '../helpers/clips.js'

const folder = temporaryFolder('streams-agent')
const clip = join(folder, 'clip.mp4')
let city: CityStreams | undefined
let capture: Capture | undefined

beforeAll(() => {
  makeClip(clip, { source: 'testsrc2=size=320x180:rate=10', seconds: 4, keyFrameEvery: 10 })
})
afterEach(async () => {
  await capture?.stop()
  await city?.close()
})

/** The agent's own capture room, watching one stream. */
const watch = async (transport: 'tcp' | 'udp', stallSeconds: number) => {
  city = await startCityStreams({ sources: [{ name: 'gate', file: clip }] })
  const frames: Frame[] = []
  const changes: ConditionChange[] = []
  const camera = cameraOf({ kind: 'rtsp', url: city.streams[0]!.url, transport }, { stallSeconds })
  capture = createCapture([camera], { log: recordLog(), dataDir: temporaryFolder('streams-agent-data') })
  capture.onFrame(frame => frames.push(frame))
  capture.onCondition(change => changes.push(change))
  await capture.start()
  await until('frames', () => frames.length >= 5)
  return { frames, changes, capture, city }
}

describe('the agent on a stream with faults', () => {
  it.each(['tcp', 'udp'] as const)(
    'keeps its cadence over %s while the camera’s clock is an hour ahead, and when it is set right',
    async transport => {
      const { frames, changes, capture, city } = await watch(transport, 15)
      for (const order of [{ kind: 'wrong-clock', offsetS: 3600 } as const, undefined]) {
        if (order === undefined) city.clearFaults('gate')
        else city.fault('gate', order)
        const from = frames.length
        // Of the 10 a second that are sent.
        const isSteady = () => Math.abs(perSecond(frames.slice(-12)) - 5) < 1.5
        await until('the cadence asked for', () => frames.length >= from + 15 && isSteady())
      }
      expect(changes).toEqual([])
      expect(capture.status('gate')!.reconnects).toBe(0)
    },
    300_000,
  )

  it('comes back from each fault in turn', async () => {
    const { frames, capture, city } = await watch('tcp', 3)
    for (const kind of ['drop', 'corrupt', 'loss', 'stall', 'refuse', 'freeze'] as const) {
      const end = city.fault('gate', { kind, ...(kind === 'corrupt' || kind === 'loss' ? { rate: 0.5 } : {}) })
      if (kind === 'refuse') city.fault('gate', { kind: 'drop' })
      if (kind === 'stall' || kind === 'refuse') {
        const { reconnects } = capture.status('gate')!
        await until(`the agent to notice ${kind}`, () => capture.status('gate')!.reconnects > reconnects)
      }
      end()
      const from = frames.length
      await until(`frames after ${kind}`, () => frames.length > from + 5)
    }
  }, 600_000)
})
