/** A small generator of pseudo-random numbers 0..1 (mulberry32), so that a failing case can be run again by its seed. */
export const seeded = (seed: number) => {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
  const between = (low: number, high: number): number => low + (high - low) * next()
  /** About normal: sum of twelve. */
  const noise = (deviation: number): number =>
    deviation * (Array.from({ length: 12 }, next).reduce((sum, value) => sum + value, 0) - 6)
  return { next, between, noise, below: (limit: number) => Math.floor(next() * limit) }
}
