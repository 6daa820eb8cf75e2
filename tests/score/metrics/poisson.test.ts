import { describe, expect, it } from 'vitest'
import { upperBound95 } from '../../../scripts/score/metrics/poisson.js'

describe('the upper bound of a count', () => {
  it.each([
    [0, 2.996],
    [1, 4.744],
    [2, 6.296],
    [5, 10.513],
    [20, 29.062],
  ])('after %i were seen is that of the exact tables', (count, bound) => {
    expect(upperBound95(count)).toBeCloseTo(bound, 2)
  })
})
