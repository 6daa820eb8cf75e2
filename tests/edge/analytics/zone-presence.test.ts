import { describe, expect, it } from 'vitest'
import { createZonePresence } from '../../../edge/analytics/zone-presence.js'
import { seeded } from './seeded.js'

const height = 0.1
/** Follows one vehicle along y, eight times a second, and returns the last presence. */
const stand = (ys: readonly (number | null)[]) => {
  const presence = createZonePresence()
  return ys
    .flatMap((y, step) => (y === null ? [] : presence.follow(1, { at: step * 125, point: [0.5, y] }, height)))
    .at(-1)!
}

describe('presence in a zone', () => {
  it('counts standing still through the trembling of the box and single misplaced ones', () => {
    const random = seeded(21)
    const ys = Array.from({ length: 240 }, (_, step) => 0.5 + random.noise(0.005) + (step % 40 === 7 ? 0.06 : 0))
    expect(stand(ys).stillMs).toBe(239 * 125)
  })

  it('does not call a creeping queue standing', () => {
    expect(stand(Array.from({ length: 400 }, (_, step) => 0.3 + step * 0.0008)).stillMs).toBeLessThan(8000)
  })

  it('starts anew when the vehicle has moved on', () => {
    const presence = stand([...new Array<number>(80).fill(0.3), ...new Array<number>(41).fill(0.5)])
    expect(presence.stillMs).toBeLessThanOrEqual(5000)
    expect(presence.insideMs).toBe(15_000)
    expect(presence.insideDistance).toBeCloseTo(0.2)
  })

  it('goes on after a moment out of the zone and begins again after a long one', () => {
    const gap = (steps: number) =>
      stand([...new Array<number>(40).fill(0.3), ...new Array<null>(steps).fill(null), 0.3])
    expect(gap(8).insideMs).toBe(48 * 125)
    expect(gap(40).insideMs).toBe(0)
  })

  it('is not ended by what passes before it, of which first a part and then all is hidden', () => {
    const there = (count: number) => new Array<number>(count).fill(0.5)
    const passed = stand([...there(40), 0.52, 0.52, ...new Array<null>(11).fill(null), 0.46, 0.48, ...there(40)])
    expect(passed.stillMs).toBe(94 * 125)
  })
})
