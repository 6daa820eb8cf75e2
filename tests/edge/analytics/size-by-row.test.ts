import { describe, expect, it } from 'vitest'
import { createSizeByRow } from '../../../edge/analytics/size-by-row.js'
import { seeded } from './seeded.js'

/** A motorbike at the row, as tall as a camera over a street would see it, times `share`. */
const bikeAt = (bottom: number, share = 1) => {
  const height = 0.35 * (bottom - 0.1) * share
  return { label: 'motorcycle' as const, box: [0.5, bottom - height, 0.05, height] as [number, number, number, number] }
}
const learnt = (tracks: number) => {
  const sizes = createSizeByRow()
  const random = seeded(3)
  for (let track = 1; track <= tracks; track++)
    for (let bottom = 0.25; bottom < 0.95; bottom += 0.03) sizes.learn(track, bikeAt(bottom, random.between(0.8, 1.2)))
  return sizes
}

describe('size of road users by row', () => {
  it('knows a helmet from a motorbike wherever it is in the picture', () => {
    const sizes = learnt(6)
    for (const bottom of [0.3, 0.5, 0.7, 0.9]) {
      expect(sizes.isPart(bikeAt(bottom, 0.3))).toBe(true)
      expect(sizes.isPart(bikeAt(bottom, 0.7))).toBe(false)
    }
  })

  it('calls nothing a part before three tracks have passed that row', () => {
    expect(learnt(2).isPart(bikeAt(0.5, 0.1))).toBe(false)
    expect(createSizeByRow().isPart(bikeAt(0.5, 0.1))).toBe(false)
  })

  it('leaves alone what the frame cuts off, and groups it has not learnt', () => {
    expect(learnt(6).isPart({ label: 'motorcycle', box: [0.5, 0.95, 0.05, 0.05] })).toBe(false)
    expect(learnt(6).isPart({ label: 'car', box: [0.5, 0.45, 0.05, 0.05] })).toBe(false)
  })

  it('is not outvoted by one that stands there for an hour', () => {
    const sizes = learnt(6)
    for (let frame = 0; frame < 30_000; frame++) sizes.learn(99, bikeAt(0.5, 0.3))
    expect(sizes.isPart(bikeAt(0.5, 0.3))).toBe(true)
  })

  it('tells where the horizon is once five have come near or driven away', () => {
    expect(learnt(4).horizon()).toBeNull()
    expect(learnt(9).horizon()).toBeCloseTo(0.1, 1)
    const queue = createSizeByRow()
    for (let track = 1; track <= 9; track++) queue.learn(track, bikeAt(0.5))
    expect(queue.horizon()).toBeNull()
  })
})
