import type { Box } from '@watchpost/shared/contracts/primitives'
import { overlapOfBoxes } from '@watchpost/edge/inference/decoders/boxes'

/** Overlap from which a box has found a true one: the 50 in AP50. */
const hitIou = 0.5

/** A detection after it was compared with the true boxes of its picture. */
export interface Hit {
  readonly confidence: number
  /** With the true box it found; 0: it found none. */
  readonly iou: number
}

/** `Hit` with the place of the true box in `truth`; null: it found none. */
export type Match = Hit & { readonly truth: number | null }

/** Each true box is found once, by the surest detection that fits it. */
export const hitsOf = (
  found: readonly { readonly box: Box; readonly confidence: number }[],
  truth: readonly Box[],
): readonly Match[] => {
  const open = new Set(truth)
  return found
    .toSorted((a, b) => b.confidence - a.confidence)
    .map(({ box, confidence }) => {
      let best: Box | undefined
      let iou = 0
      for (const one of open) {
        const overlap = overlapOfBoxes(box, one)
        if (overlap > iou) [best, iou] = [one, overlap]
      }
      if (best === undefined || iou < hitIou) return { confidence, iou: 0, truth: null }
      open.delete(best)
      return { confidence, iou, truth: truth.indexOf(best) }
    })
}

export interface PrPoint {
  readonly confidence: number
  readonly precision: number | null
  readonly recall: number | null
}

/** Area under the curve of precision over recall, precision made monotonous. Null when there is nothing to find. */
export const averagePrecision = (hits: readonly Hit[], truths: number): number | null => {
  if (truths === 0) return null
  const ranked = hits.toSorted((a, b) => b.confidence - a.confidence)
  let right = 0
  const points = ranked.map(({ iou }, i) => {
    if (iou > 0) right++
    return { recall: right / truths, precision: right / (i + 1) }
  })
  let best = 0
  let area = 0
  for (let i = points.length - 1; i >= 0; i--) {
    best = Math.max(best, points[i]!.precision)
    area += best * (points[i]!.recall - (points[i - 1]?.recall ?? 0))
  }
  return area
}

/** Precision and recall when only what is at least so sure counts. */
export const prPoint = (hits: readonly Hit[], truths: number, confidence: number): PrPoint => {
  const counted = hits.filter(hit => hit.confidence >= confidence)
  const right = counted.filter(({ iou }) => iou > 0).length
  return {
    confidence,
    precision: counted.length === 0 ? null : right / counted.length,
    recall: truths === 0 ? null : right / truths,
  }
}
