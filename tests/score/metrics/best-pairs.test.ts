import { describe, expect, it } from 'vitest'
import { bestPairs } from '../../../scripts/score/metrics/best-pairs.js'

/** The best sum there is, by trying everything. */
const bestSum = (gains: readonly (readonly number[])[], row = 0, taken: readonly number[] = []): number =>
  row === gains.length
    ? 0
    : Math.max(
        bestSum(gains, row + 1, taken),
        ...gains[row]!.map((gain, column) =>
          taken.includes(column) ? 0 : gain + bestSum(gains, row + 1, [...taken, column]),
        ),
      )

/** A small generator with a seed, so that the same cases come every time. */
const randoms = (seed: number) => () => {
  seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31
  return seed / 2 ** 31
}

describe('pairing', () => {
  it('prefers two good pairs to one very good one', () => {
    const gains = [
      [0.9, 0.8],
      [0.8, 0],
    ]
    expect(bestPairs(2, 2, (row, column) => gains[row]![column]!)).toEqual([
      [0, 1],
      [1, 0],
    ])
  })

  it('leaves out what gains nothing, and has no pairs of nothing', () => {
    expect(bestPairs(2, 3, (row, column) => (row === 1 && column === 2 ? 1 : 0))).toEqual([[1, 2]])
    expect(bestPairs(0, 3, () => 1)).toEqual([])
    expect(bestPairs(3, 0, () => 1)).toEqual([])
    expect(bestPairs(1, 1, () => -1)).toEqual([])
  })

  it('finds the best sum of 200 random tables of all shapes, each row and column once', () => {
    const random = randoms(7)
    for (let round = 0; round < 200; round++) {
      const [rows, columns] = [1 + Math.floor(random() * 5), 1 + Math.floor(random() * 5)]
      const gains = Array.from({ length: rows }, () =>
        Array.from({ length: columns }, () => (random() < 0.3 ? 0 : Math.round(random() * 100))),
      )
      const pairs = bestPairs(rows, columns, (row, column) => gains[row]![column]!)
      const sum = pairs.reduce((total, [row, column]) => total + gains[row]![column]!, 0)
      expect(sum).toBe(bestSum(gains))
      expect(new Set(pairs.map(([row]) => row)).size).toBe(pairs.length)
      expect(new Set(pairs.map(([, column]) => column)).size).toBe(pairs.length)
    }
  })
})
