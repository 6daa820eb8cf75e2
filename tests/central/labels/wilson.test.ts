import { describe, expect, it } from 'vitest'
import { wilson } from '../../../central/labels/wilson.js'

describe('the Wilson interval', () => {
  it('agrees with published values', () => {
    // Newcombe (1998), Statistics in Medicine 17: 857-872, table I, method 3.
    for (const [successes, trials, low, high] of [
      [81, 263, 0.2553, 0.3662],
      [15, 148, 0.0624, 0.1605],
      [0, 20, 0, 0.1611],
      [1, 29, 0.0061, 0.1718],
    ] as const) {
      const found = wilson(successes, trials)
      expect(found?.share).toBeCloseTo(successes / trials, 10)
      expect(found?.low).toBeCloseTo(low, 4)
      expect(found?.high).toBeCloseTo(high, 4)
    }
  })

  it('is wide after three of three, reaches 1 exactly, and is not there before the first', () => {
    expect(wilson(3, 3)).toMatchObject({ share: 1, high: 1 })
    expect(wilson(3, 3)?.low).toBeLessThan(0.45)
    expect(wilson(0, 0)).toBeNull()
  })
})
