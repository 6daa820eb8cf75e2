import type { FloodAnalytic } from '../config/agent-config.js'
import { distance, type PlanePoint, toPlane } from './geometry.js'
import { clamp } from './statistics.js'

type GaugeConfig = NonNullable<FloodAnalytic['gauge']>

export interface ScoreMask {
  readonly width: number
  readonly height: number
  readonly scores: Float32Array
}

export interface GaugeProfiles {
  /** Scores along the gauge from low to high, averaged across the strip and across each half of it. */
  readonly whole: Float64Array
  readonly left: Float64Array
  readonly right: Float64Array
}

const samplesPerMaskPixel = 2
const maxSamples = 600
const maxColumnsPerHalf = 12

/** A virtual staff gauge: image points with known heights, and the strip beside them that is read from a mask. */
export const createGauge = ({ points, halfWidth }: GaugeConfig, aspect: number) => {
  const track = points.map(({ x, y }) => toPlane([x, y], aspect))
  const lengths = track.slice(1).map((point, index) => distance(point, track[index]!))
  const length = lengths.reduce((sum, part) => sum + part, 0)
  const across = normalOf(track[0]!, track.at(-1)!)

  /** The segment that holds an arc position, and how far along it, 0..1. */
  const locate = (arc: number): { index: number; along: number } => {
    let rest = clamp(arc, 0, length)
    for (const [index, part] of lengths.entries()) {
      if (rest <= part || index === lengths.length - 1) return { index, along: part > 0 ? Math.min(1, rest / part) : 0 }
      rest -= part
    }
    return { index: 0, along: 0 }
  }
  const pointAt = (arc: number): PlanePoint => {
    const { index, along } = locate(arc)
    const [ax, ay] = track[index]!
    const [bx, by] = track[index + 1]!
    return [ax + (bx - ax) * along, ay + (by - ay) * along]
  }
  const cmAt = (arc: number): number => {
    const { index, along } = locate(arc)
    const low = points[index]!.cm
    return low + (points[index + 1]!.cm - low) * along
  }
  const samplesFor = (mask: ScoreMask): number =>
    Math.round(clamp((length / Math.min(1 / mask.height, aspect / mask.width)) * samplesPerMaskPixel, 8, maxSamples))

  return {
    footCm: points[0]!.cm,
    topCm: points.at(-1)!.cm,
    /** Height in cm of a position counted in samples of a profile of so many samples. */
    cmAtSample: (position: number, samples: number): number => cmAt((position / samples) * length),
    profiles(mask: ScoreMask, threshold: number): GaugeProfiles {
      const samples = samplesFor(mask)
      const columns = Math.round(clamp(halfWidth * mask.width, 1, maxColumnsPerHalf))
      const halves = [-1, 1].map(side => {
        const half = new Float64Array(samples)
        for (let sample = 0; sample < samples; sample++) {
          const [x, y] = pointAt(((sample + 0.5) / samples) * length)
          let sum = 0
          for (let column = 0; column < columns; column++) {
            const offset = ((side * (column + 0.5)) / columns) * halfWidth * aspect
            sum += scoreAt(mask, (x + across[0] * offset) / aspect, y + across[1] * offset)
          }
          half[sample] = centred(sum / columns, threshold)
        }
        return half
      })
      const [left, right] = halves as [Float64Array, Float64Array]
      return { left, right, whole: left.map((score, sample) => (score + right[sample]!) / 2) }
    },
  }
}

export type Gauge = ReturnType<typeof createGauge>

/**
 * One direction across for the whole gauge, square to the line from its foot to its top: normals that turn at every
 * calibration point would read some pixels twice and leave others out.
 */
const normalOf = (foot: PlanePoint, top: PlanePoint): PlanePoint => {
  const length = distance(foot, top)
  return [-(top[1] - foot[1]) / length, (top[0] - foot[0]) / length]
}

/** Bilinear; pixel centres are at half-integers, positions outside the frame read its edge. */
const scoreAt = ({ width, height, scores }: ScoreMask, x: number, y: number): number => {
  const column = clamp(x * width - 0.5, 0, width - 1)
  const row = clamp(y * height - 0.5, 0, height - 1)
  const left = Math.floor(column)
  const top = Math.floor(row)
  const right = Math.min(left + 1, width - 1)
  const bottom = Math.min(top + 1, height - 1)
  const dx = column - left
  const dy = row - top
  return (
    (scores[top * width + left]! * (1 - dx) + scores[top * width + right]! * dx) * (1 - dy) +
    (scores[bottom * width + left]! * (1 - dx) + scores[bottom * width + right]! * dx) * dy
  )
}

/** Scores stretched so that the model's threshold becomes 0.5. */
const centred = (score: number, threshold: number): number =>
  score < threshold ? (0.5 * score) / threshold : 0.5 + (0.5 * (score - threshold)) / (1 - threshold || 1)
