import { describe, expect, it } from 'vitest'
import type { PlanePoint } from '../../../edge/analytics/geometry.js'
import { groundOf } from '../../../edge/analytics/ground-plane.js'
import { createLaneTravel, type Travel } from '../../../edge/analytics/lane-travel.js'

const up: PlanePoint = [0, -1]
const aspect = 16 / 9
/** The picture itself. */
const flat = () => groundOf(null, aspect)
const height = 0.1

/** The last travel of a path, seen every 125 ms. */
const last = (y: (second: number) => number | null, seconds: number): Travel | null => {
  const travel = createLaneTravel({ middle: [0.5, 0.5], direction: up }, flat)
  let found: Travel | null = null
  for (let at = 0; at <= seconds * 1000; at += 125) {
    const place = y(at / 1000)
    if (place !== null) found = travel.follow(1, { at, point: [0.5, place] }, height)
  }
  return found
}

describe('travel in a lane', () => {
  it('is even when the vehicle drives, faster as it comes nearer too', () => {
    expect(last(s => 0.3 + 0.2 * s, 1.5)).toMatchObject({ angleDeg: 180, heldMs: 1500, evenness: expect.closeTo(1, 1) })
    expect(last(s => 0.3 + 0.1 * s + 0.08 * s ** 2, 1.5)!.evenness).toBeGreaterThan(0.5)
  })
  it('is not even when the track jumps to a vehicle behind and goes on with it', () => {
    const jump = last(s => (s < 1 ? 0.3 : s < 1.125 ? 0.42 : 0.44), 1.5)!
    expect(jump).toMatchObject({ angleDeg: 180 })
    expect(jump.evenness).toBeLessThan(0.15)
  })
  it('is not even when the jump was made unseen', () => {
    expect(last(s => (s < 0.5 ? 0.3 : s < 1.5 ? null : 0.44), 1.625)!.evenness).toBe(0)
  })
  it('begins anew after the vehicle has stood', () => {
    const stopped = last(s => 0.3 + 0.2 * Math.min(s, 1) + 0.2 * Math.max(0, s - 3), 4)!
    expect(stopped.heldMs).toBeLessThan(2000)
    expect(last(s => 0.3 + 0.2 * Math.min(s, 1), 3)).toBeNull()
  })

  /** A lane that comes towards the camera and leaves the picture at its lower left corner. */
  const slanted = { middle: [0.45, 0.75], direction: [-0.73, 0.68] } as const
  const angleOn = (horizon: number | null, to: PlanePoint): number => {
    const travel = createLaneTravel(slanted, () => groundOf(horizon, aspect))
    let found: Travel | null = null
    for (let step = 0; step <= 16; step++) {
      const [x, y] = slanted.middle
      const point: PlanePoint = [x + ((to[0] - x) * step) / 16, y + ((to[1] - y) * step) / 16]
      found = travel.follow(1, { at: step * 125, point }, height)
    }
    return found!.angleDeg
  }

  it('is measured on the road: who crosses a slanted lane square does not drive against it', () => {
    const across: PlanePoint = [0.8, 0.76]
    expect(angleOn(null, across)).toBeGreaterThan(130)
    expect(angleOn(-0.1, across)).toBeLessThan(112)
  })
  it('is against the lane on the road where it is in the picture', () => {
    expect(angleOn(-0.1, [0.66, 0.55])).toBeGreaterThan(165)
    expect(angleOn(-0.1, [0.24, 0.95])).toBeLessThan(15)
  })
})
