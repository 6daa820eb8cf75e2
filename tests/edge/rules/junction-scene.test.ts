import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { createAnalytic } from '../../../edge/analytics/create-analytic.js'
import type { TrafficAnalytic } from '../../../edge/config/agent-config.js'
import type { Detection } from '../../../edge/inference/inference-result.js'
import { createRule } from '../../../edge/rules/create-rule.js'
import { resultOf, startMs } from '../analytics/inputs.js'
import { seeded } from '../analytics/seeded.js'
import { type Bulb, signalFrame } from '../analytics/street.js'
import { secondOf } from './traffic-chain.js'

type Quad = [number, number, number, number]
interface Junction {
  readonly fps: number
  readonly width: number
  readonly height: number
  readonly lamps: [{ id: string; red: Quad; amber: Quad; green: Quad }]
  readonly stopLine: [number, number][]
  readonly laneDirection: { id: string; polygon: [number, number][]; direction: [number, number] }[]
  readonly noStoppingZone: [number, number][]
  readonly violations: { kind: string; trackId: string; at: number; until?: number }[]
  readonly frames: { t: number; lamp: Bulb; vehicles: { trackId: string; class: 'car' | 'motorbike'; box: Quad }[] }[]
}
const scene: Junction = JSON.parse(
  readFileSync(new URL('../../fixtures/city/junction/truth.json', import.meta.url), 'utf8'),
)
const maxStandSeconds = 10
/** The truth's directions are in pixels; the configuration's in fractions. */
const inFractions = ([x, y]: readonly [number, number]): [number, number] => [x / scene.width, y / scene.height]
const approach = scene.laneDirection.find(({ id }) => id === 'approach')!

const config: TrafficAnalytic = {
  id: 'traffic',
  kind: 'traffic',
  model: 'vehicles',
  fps: scene.fps,
  minConfidence: 0.3,
  lamps: scene.lamps,
  lines: [
    {
      id: 'stop',
      kind: 'stop-line',
      points: scene.stopLine,
      lamp: scene.lamps[0].id,
      forward: inFractions(approach.direction),
    },
  ],
  lanes: scene.laneDirection.map(lane => ({ ...lane, direction: inFractions(lane.direction) })),
  zones: [{ id: 'no-stopping', kind: 'no-stopping', polygon: scene.noStoppingZone, seconds: maxStandSeconds }],
  redGraceSeconds: 0.5,
  observeEverySeconds: 10,
}

/** The truth as an imperfect COCO detector would see it: riders apart, edges off, boxes missing, boxes that are not there. */
const detect = (vehicles: Junction['frames'][number]['vehicles'], random: ReturnType<typeof seeded>): Detection[] => {
  const near = ([x, y, w, h]: Quad): Quad => {
    const off = (size: number) => random.noise(0.02 * size)
    return [Math.max(0, x + off(w)), Math.max(0, y + off(h)), w + off(w), h + off(h)]
  }
  const found = vehicles.flatMap((vehicle): Detection[] => {
    const [x, y, w, h] = vehicle.box
    if (random.next() < 0.08) return []
    const confidence = random.between(0.3, 0.9)
    if (vehicle.class === 'car') return [{ label: 'car', confidence, box: near(vehicle.box) }]
    const rider: Detection[] =
      random.next() < 0.7 ? [{ label: 'person', confidence: 0.6, box: near([x + w * 0.1, y, w * 0.8, h * 0.75]) }] : []
    return [{ label: 'motorcycle', confidence, box: near([x, y + h * 0.4, w, h * 0.6]) }, ...rider]
  })
  if (random.next() < 0.05)
    found.push({ label: 'car', confidence: 0.4, box: [random.between(0, 0.85), random.between(0, 0.8), 0.1, 0.1] })
  return found
}

const watch = (seed: number, everyNth: number) => {
  const random = seeded(seed)
  const analytic = createAnalytic(config, { cameraId: 'nga-sau-1' })
  const rule = createRule(config, { cameraId: 'nga-sau-1' })
  return scene.frames
    .filter((_, index) => index % everyNth === 0)
    .flatMap(({ t, lamp, vehicles }) => {
      const frame = signalFrame(startMs + Math.round(t * 1000), lamp, 0.3, scene.lamps[0])
      const { readings } = analytic.update({
        frame,
        result: resultOf({ kind: 'detections', detections: detect(vehicles, random) }),
      })
      return rule.evaluate(readings, frame.takenAt)
    })
}

/** Seconds within which each violation must be told, from its truth. */
const due = scene.violations.map(({ kind, at, until }) =>
  kind === 'illegal-stopping'
    ? { kind, from: at + maxStandSeconds - 2, to: at + maxStandSeconds + 4 }
    : { kind, from: at - 1, to: (until ?? at) + 1.5 },
)

describe('the rendered junction, from its true boxes through an imperfect detector', () => {
  it.each([
    ...Array.from({ length: 10 }, (_, seed) => ({ seed: seed + 1, everyNth: 1, fps: 10 })),
    ...Array.from({ length: 5 }, (_, seed) => ({ seed: seed + 1, everyNth: 2, fps: 5 })),
  ])('tells every violation once, in time, and nothing else (seed $seed, $fps fps)', ({ seed, everyNth }) => {
    const began = watch(seed, everyNth)
      .filter(({ phase }) => phase === 'began')
      .map(event => ({ kind: event.kind, second: secondOf(event) }))
    expect(began.map(({ kind }) => kind).sort(), JSON.stringify(began)).toEqual(due.map(({ kind }) => kind).sort())
    for (const { kind, from, to } of due)
      expect(
        began.filter(one => one.kind === kind && one.second >= from && one.second <= to),
        `${kind} ${from}-${to} in ${JSON.stringify(began)}`,
      ).toHaveLength(1)
  })
})
