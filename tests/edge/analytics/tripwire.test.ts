import { describe, expect, it } from 'vitest'
import { createTripwire } from '../../../edge/analytics/tripwire.js'
import { seeded } from './seeded.js'

const line = [
  [0, 0.5],
  [0.5, 0.5],
  [1, 0.6],
] as const
const walk = (points: readonly (readonly [number, number])[], margin = 0.02) => {
  const wire = createTripwire(line)
  return points.flatMap((point, step) => wire.follow(1, { at: step * 100, point }, margin) ?? [])
}

describe('tripwire', () => {
  it('tells when and which way it was crossed, between two frames', () => {
    const [passage, ...others] = walk([
      [0.2, 0.3],
      [0.2, 0.4],
      [0.2, 0.6],
      [0.2, 0.7],
    ])
    expect(others).toEqual([])
    expect(passage!.at).toBeCloseTo(150)
    expect(passage!.motion[1]).toBeGreaterThan(0)
  })

  it('tells the moment of the crossing even when the point lingered at the line', () => {
    const [passage] = walk([
      [0.2, 0.3],
      ...Array.from({ length: 50 }, () => [0.2, 0.49] as const),
      [0.2, 0.51],
      [0.2, 0.53],
    ])
    expect(passage!.at).toBeCloseTo(5050)
  })

  it('is not crossed by a point that trembles on it, however long', () => {
    const random = seeded(9)
    expect(walk(Array.from({ length: 2000 }, () => [0.3, 0.5 + random.between(-0.019, 0.019)] as const))).toEqual([])
  })

  it('is not crossed by who turns back at it, nor by who passes beside its end', () => {
    expect(
      walk([
        [0.2, 0.4],
        [0.2, 0.51],
        [0.2, 0.4],
      ]),
    ).toEqual([])
    expect(
      walk([
        [-0.2, 0.4],
        [-0.2, 0.7],
      ]),
    ).toEqual([])
  })

  it('counts a passage through its corner once', () => {
    expect(
      walk([
        [0.5, 0.3],
        [0.5, 0.7],
      ]),
    ).toHaveLength(1)
  })

  it('has as many passages as the walk changed sides, on any walk', () => {
    const random = seeded(12)
    for (let round = 0; round < 50; round++) {
      let y = 0.3
      let side = -1
      let changes = 0
      const points = Array.from({ length: 300 }, () => {
        y = Math.min(0.9, Math.max(0.1, y + random.between(-0.08, 0.08)))
        if (Math.abs(y - 0.5) >= 0.02 && Math.sign(y - 0.5) !== side) {
          side = Math.sign(y - 0.5)
          changes++
        }
        return [0.25, y] as const
      })
      expect(walk([[0.25, 0.3], ...points]), `round ${round}`).toHaveLength(changes)
    }
  })
})
