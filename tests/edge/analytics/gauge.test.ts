import { describe, expect, it } from 'vitest'
import { createGauge } from '../../../edge/analytics/gauge.js'
import { findWaterLine } from '../../../edge/analytics/water-line.js'
import { maskOf } from './inputs.js'
import { seeded } from './seeded.js'

const aspect = 16 / 9
type Points = Parameters<typeof createGauge>[0]['points']

const levelSeen = (points: Points, lineY: number): number => {
  const gauge = createGauge({ points, halfWidth: 0.02 }, aspect)
  const mask = maskOf((_, y) => 1 / (1 + Math.exp(-(y - lineY) / 0.004)))
  if (mask.kind !== 'mask') throw new Error('a mask was expected')
  const { whole } = gauge.profiles(mask, 0.5)
  return gauge.cmAtSample(findWaterLine(whole).position, whole.length)
}

/** The height that calibration points give a row of the image, worked out independently by interpolation over y. */
const truth = (points: Points, y: number): number => {
  const index = points.findIndex((point, at) => at > 0 && point.y <= y)
  const [low, high] = [points[index - 1]!, points[index]!]
  return low.cm + ((high.cm - low.cm) * (low.y - y)) / (low.y - high.y)
}

describe('virtual gauge', () => {
  it('reads the height of the water between unevenly spaced, slanted calibration points', () => {
    const random = seeded(7)
    for (let round = 0; round < 100; round++) {
      const points: Points = []
      let [x, y, cm] = [random.between(0.3, 0.6), 0.9, random.between(-20, 5)]
      for (let point = 0; point < 2 + random.below(4); point++) {
        points.push({ x, y, cm })
        x += random.between(-0.02, 0.02)
        y -= random.between(0.1, 0.16)
        cm += random.between(10, 60)
      }
      const lineY = random.between(points.at(-1)!.y + 0.04, points[0]!.y - 0.04)
      const cmPerMaskRow = Math.max(
        ...points.slice(1).map((point, index) => (point.cm - points[index]!.cm) / (points[index]!.y - point.y) / 90),
      )
      expect(Math.abs(levelSeen(points, lineY) - truth(points, lineY)), `round ${round}`).toBeLessThan(cmPerMaskRow)
    }
  })

  it('reads a gauge that lies along a sloping kerb', () => {
    const points = [
      { x: 0.2, y: 0.8, cm: 0 },
      { x: 0.6, y: 0.4, cm: 80 },
    ]
    expect(levelSeen(points, 0.6)).toBeCloseTo(40, 0)
  })

  it('reads the two halves of its strip apart', () => {
    const gauge = createGauge(
      {
        points: [
          { x: 0.5, y: 0.9, cm: 0 },
          { x: 0.5, y: 0.1, cm: 100 },
        ],
        halfWidth: 0.05,
      },
      aspect,
    )
    const mask = maskOf(x => (x < 0.5 ? 1 : 0))
    if (mask.kind !== 'mask') throw new Error('a mask was expected')
    const { left, right } = gauge.profiles(mask, 0.5)
    expect(Math.min(...left)).toBeGreaterThan(0.9)
    expect(Math.max(...right)).toBeLessThan(0.1)
  })
})
