import type { Box } from '@watchpost/shared/contracts/primitives'
import type { AnalyticInput } from '../../../edge/analytics/analytic.js'
import type { Detection } from '../../../edge/inference/inference-result.js'
import { frameAt, resultOf, startMs } from './inputs.js'
import type { seeded } from './seeded.js'

/** A vehicle of the simulated street: where its ground middle is at a second (fractions), or null when it is not there. */
export interface Actor {
  readonly label: 'car' | 'bus' | 'truck' | 'motorcycle' | 'bicycle'
  readonly at: (second: number) => readonly [x: number, y: number] | null
  readonly size?: readonly [width: number, height: number]
}

export interface Imperfection {
  readonly random: ReturnType<typeof seeded>
  /** Deviation of each edge, as a share of the box. */
  readonly jitter: number
  /** Probability that a vehicle is not found in a frame. */
  readonly dropout: number
  /** Probability that a frame shows a vehicle where there is none. */
  readonly ghosts: number
}

const sizeOf = {
  car: [0.1, 0.12],
  bus: [0.14, 0.22],
  truck: [0.13, 0.2],
  motorcycle: [0.04, 0.09],
  bicycle: [0.04, 0.09],
} as const

/** What a COCO detector would report: a motorbike and its rider are two boxes. */
export const detectionsOf = (actors: readonly Actor[], second: number, flaws?: Imperfection): Detection[] => {
  const random = flaws?.random
  const edge = (size: number) => (flaws ? random!.noise(flaws.jitter * size) : 0)
  const found: Detection[] = []
  for (const { label, at, size } of actors) {
    const place = at(second)
    if (!place || (flaws && random!.next() < flaws.dropout)) continue
    const [width, height] = size ?? sizeOf[label]
    const footprint = label === 'motorcycle' || label === 'bicycle' ? 0.2 : 0.4
    const bottom = place[1] + (footprint / 2) * height
    const boxOf = (share: number, top: number): Box => [
      place[0] - (width * share) / 2 + edge(width),
      bottom - height + top * height + edge(height),
      width * share + edge(width),
      height * (1 - top) + edge(height),
    ]
    const confidence = flaws ? random!.between(0.25, 0.9) : 0.8
    if (label !== 'motorcycle' && label !== 'bicycle') found.push({ label, confidence, box: boxOf(1, 0) })
    else {
      found.push({ label, confidence, box: boxOf(1, 0.35) })
      if (!flaws || random!.next() > 0.3) {
        const [x, y, w, h] = boxOf(0.8, 0)
        found.push({ label: 'person', confidence: 0.7, box: [x, y, w, h * 0.8] })
      }
    }
  }
  if (flaws && random!.next() < flaws.ghosts)
    found.push({
      label: 'car',
      confidence: random!.between(0.2, 0.6),
      box: [random!.between(0, 0.9), random!.between(0, 0.8), 0.1, 0.12],
    })
  return found
}

export const fps = 8
export const frameTimes = (seconds: number) =>
  Array.from({ length: Math.round(seconds * fps) }, (_, frame) => frame / fps)

/** Bulbs of the street's one signal, painted into the frame's pixels. */
export const lampBoxes = {
  red: [0.02, 0.02, 0.03, 0.05],
  amber: [0.02, 0.08, 0.03, 0.05],
  green: [0.02, 0.14, 0.03, 0.05],
} as const satisfies Record<string, readonly [number, number, number, number]>

const lit = { red: [250, 50, 40], amber: [250, 180, 40], green: [60, 240, 170] } as const
const unlit = { red: [70, 25, 22], amber: [70, 52, 20], green: [20, 60, 45] } as const

export type Bulb = keyof typeof lit
type BulbBoxes = Readonly<Record<Bulb, readonly [x: number, y: number, width: number, height: number]>>

const frames = new Map<string, ReturnType<typeof frameAt>>()
/** A frame whose signal shows the colour; `daylight` 0..1 lifts everything as sun on the lenses does. */
export const signalFrame = (at: number, colour: Bulb | null, daylight = 0.3, boxes: BulbBoxes = lampBoxes) => {
  const key = `${colour} ${daylight} ${boxes.red}`
  const known = frames.get(key) ?? paint(colour, daylight, boxes)
  frames.set(key, known)
  return { ...known, takenAt: at }
}

const paint = (colour: Bulb | null, daylight: number, boxes: BulbBoxes) => {
  const frame = frameAt(0)
  frame.pixels.fill(Math.round(120 * daylight))
  for (const bulb of ['red', 'amber', 'green'] as const) {
    const [x, y, w, h] = boxes[bulb]
    const rgb = (bulb === colour ? lit : unlit)[bulb]
    for (let row = Math.round(y * 360); row < Math.round((y + h) * 360); row++)
      for (let column = Math.round(x * 640); column < Math.round((x + w) * 640); column++)
        rgb.forEach((value, channel) => {
          frame.pixels[(row * 640 + column) * 3 + channel] = Math.min(
            255,
            value * (0.5 + 0.5 * daylight) + 110 * daylight,
          )
        })
  }
  return frame
}

export const streetInput = (
  second: number,
  detections: readonly Detection[],
  colour: Bulb | null = null,
): AnalyticInput => ({
  frame: signalFrame(startMs + Math.round(second * 1000), colour),
  result: resultOf({ kind: 'detections', detections }),
})
