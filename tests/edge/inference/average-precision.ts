import type { Box } from '@watchpost/shared/contracts/primitives'
import { overlapOfBoxes } from '../../../edge/inference/decoders/boxes.js'

export interface Judged {
  readonly found: readonly { readonly box: Box; readonly confidence: number }[]
  readonly truth: readonly Box[]
}

/** Average precision at an overlap of 0.5 over all pictures: area under the curve of precision made monotonous. */
export const averagePrecision = (pictures: readonly Judged[]): number => {
  const total = pictures.reduce((sum, { truth }) => sum + truth.length, 0)
  const ranked = pictures.flatMap(hits).toSorted((a, b) => b.confidence - a.confidence)
  let right = 0
  const points = ranked.map(({ isHit }, i) => {
    if (isHit) right++
    return { recall: right / total, precision: right / (i + 1) }
  })
  let best = 0
  let area = 0
  for (let i = points.length - 1; i >= 0; i--) {
    best = Math.max(best, points[i]!.precision)
    area += best * (points[i]!.recall - (points[i - 1]?.recall ?? 0))
  }
  return area
}

/** Each true box is found once, by the surest detection that fits it best. */
const hits = ({ found, truth }: Judged) => {
  const open = new Set(truth)
  return found
    .toSorted((a, b) => b.confidence - a.confidence)
    .map(({ box, confidence }) => {
      const fits = [...open].map(one => ({ one, overlap: overlapOfBoxes(box, one) }))
      const best = fits.reduce((most, next) => (next.overlap > most.overlap ? next : most), { one: box, overlap: 0 })
      if (best.overlap >= 0.5) open.delete(best.one)
      return { confidence, isHit: best.overlap >= 0.5 }
    })
}
