import type { Box } from '@watchpost/shared/contracts/primitives'
import { describe, expect, it } from 'vitest'
import { reduceMask } from '../../scripts/model/data/masks.js'
import { averagePrecision, hitsOf, prPoint } from '../../scripts/model/metrics/average-precision.js'
import { iouOf, mean, overlapOf, quantile } from '../../scripts/model/metrics/overlap.js'
import { auc, recallAtFpr } from '../../scripts/model/metrics/roc.js'

describe('AUC', () => {
  it('is the chance that a picture with the thing scores above one without, ties counting half', () => {
    expect(auc([0.9, 0.8], [0.1, 0.2, 0.3])).toBe(1)
    expect(auc([0.1], [0.9, 0.8])).toBe(0)
    // Pairs: 0.5 beats 0.2, ties 0.5, loses to 0.8; 0.9 beats all three: (1 + 0.5 + 0 + 3) / 6.
    expect(auc([0.5, 0.9], [0.8, 0.2, 0.5])).toBe(0.75)
    expect(auc([0, 0, 0], [0, 0])).toBe(0.5)
  })

  it('does not exist without pictures of both kinds', () => {
    expect([auc([], [0.1]), auc([0.1], [])]).toEqual([null, null])
  })
})

describe('recall at a false-alarm rate', () => {
  const notShown = Array.from({ length: 100 }, (_, i) => i / 100)

  it('takes the lowest threshold that lets at most that share of the others through', () => {
    // One of a hundred may pass: 0.99 does, so the threshold is 0.98.
    expect(recallAtFpr([0.975, 0.98, 0.985, 1], notShown, 0.01)).toBe(0.5)
    expect(recallAtFpr([0.93, 0.94, 0.95, 0.96], notShown, 0.05)).toBe(0.5)
    // Of fifty none may: the threshold is the highest of them.
    expect(recallAtFpr([0.49, 0.5], notShown.slice(0, 50), 0.01)).toBe(0.5)
  })

  it('lets all or none of the pictures pass that score the same', () => {
    // Three others share 0.8. Passing one would pass all three, so at one of ten none of those at 0.8 counts.
    const ties = [0.8, 0.8, 0.8, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1]
    expect(recallAtFpr([0.8, 0.8, 0.9, 0.5], ties, 0.1)).toBe(0.25)
    expect(recallAtFpr([0.8, 0.8, 0.9, 0.5], ties, 0.3)).toBe(1)
  })

  it('counts whole pictures where binary fractions do not', () => {
    // 0.07 × 100 is 7.000000000000001, 0.29 × 100 is 28.999999999999996: seven and twenty-nine may pass.
    expect(recallAtFpr([0.925, 0.705], notShown, 0.07)).toBe(0.5)
    expect(recallAtFpr([0.705], notShown, 0.29)).toBe(1)
  })
})

const unit: Box = [0, 0, 0.2, 0.2]
const far: Box = [0.6, 0.6, 0.2, 0.2]

describe('average precision', () => {
  it('is the area under precision made monotonous, reckoned by hand', () => {
    // Right, wrong, right, with two more boxes never found: precision 1, 1/2, 2/3 at recall 1/4, 1/4, 2/4.
    const hits = [
      { confidence: 0.9, iou: 0.8 },
      { confidence: 0.8, iou: 0 },
      { confidence: 0.7, iou: 0.6 },
    ]
    expect(averagePrecision(hits, 4)).toBeCloseTo(0.25 * 1 + 0.25 * (2 / 3), 12)
    expect(averagePrecision(hits.toReversed(), 4)).toBe(averagePrecision(hits, 4))
    expect(averagePrecision([], 4)).toBe(0)
    expect(averagePrecision(hits, 0)).toBeNull()
  })

  it('lets each true box be found once, by the surest detection, from an overlap of a half on', () => {
    const found = [
      { box: unit, confidence: 0.5 },
      { box: unit, confidence: 0.9 },
      // Half as wide: the overlap is exactly a half.
      { box: [0.6, 0.6, 0.1, 0.2] as Box, confidence: 0.8 },
      { box: [0.6, 0.6, 0.09, 0.2] as Box, confidence: 0.7 },
    ]
    const hits = hitsOf(found, [unit, far])
    expect(hits.map(({ confidence }) => confidence)).toEqual([0.9, 0.8, 0.7, 0.5])
    expect(hits.map(({ iou }) => Math.round(iou * 100) / 100)).toEqual([1, 0.5, 0, 0])
  })

  it('gives precision and recall from a confidence on', () => {
    const hits = [
      { confidence: 0.9, iou: 1 },
      { confidence: 0.5, iou: 0 },
      { confidence: 0.5, iou: 0.7 },
    ]
    expect(prPoint(hits, 4, 0.5)).toEqual({ confidence: 0.5, precision: 2 / 3, recall: 0.5 })
    expect(prPoint(hits, 4, 0.6)).toEqual({ confidence: 0.6, precision: 1, recall: 0.25 })
    expect(prPoint(hits, 0, 0.95)).toEqual({ confidence: 0.95, precision: null, recall: null })
  })
})

describe('overlap', () => {
  it('adds up pixels over pictures before it divides', () => {
    const first = overlapOf([1, 1, 0, 0], [0, 1, 1, 0])
    const second = overlapOf([1, 0, 0, 0], [1, 0, 0, 0])
    expect([first, second]).toEqual([
      { both: 1, either: 3 },
      { both: 1, either: 1 },
    ])
    expect(iouOf([first, second])).toBe(0.5)
    expect(iouOf([overlapOf([0], [0])])).toBeNull()
    expect([mean([1, 2, 6]), mean([])]).toEqual([3, null])
  })

  it('reduces a mask by area: more than half of what a pixel covers must be the thing', () => {
    const pixels = new Uint8Array([1, 1, 0, 0, 0, 1, 1, 0])
    expect(Array.from(reduceMask({ width: 4, height: 2, pixels }, 2, 1).pixels)).toEqual([1, 0])
    expect(Array.from(reduceMask({ width: 4, height: 2, pixels }, 4, 2).pixels)).toEqual(Array.from(pixels))
    // Three columns into two: the middle one belongs to both by half.
    const odd = { width: 3, height: 1, pixels: new Uint8Array([0, 1, 1]) }
    expect(Array.from(reduceMask(odd, 2, 1).pixels)).toEqual([0, 1])
    expect(Array.from(reduceMask(odd, 6, 1).pixels)).toEqual([0, 0, 1, 1, 1, 1])
  })

  it('takes quantiles by nearest rank', () => {
    const values = [5, 1, 4, 2, 3]
    expect([quantile(values, 0.5), quantile(values, 0.95), quantile(values, 0), quantile([7], 0.95)]).toEqual([
      3, 5, 1, 7,
    ])
  })
})
