import { bestPairs } from './best-pairs.js'
import { overlapsOf, type TrackFrame } from './track-frames.js'

export interface IdentityScore {
  readonly idf1: number | null
  readonly idPrecision: number | null
  readonly idRecall: number | null
}

const minIou = 0.5

/**
 * IDF1 of Ristani et al. (2016): each true track is given at most one found track for the whole sequence, so that most boxes
 * agree; 2·IDTP ÷ (true boxes + found boxes). Null without any true box.
 */
export const identityScore = (frames: readonly TrackFrame[]): IdentityScore => {
  const trueIds = [...new Set(frames.flatMap(({ truth }) => truth.map(({ id }) => id)))]
  const foundIds = [...new Set(frames.flatMap(({ found }) => found.map(({ id }) => id)))]
  const together = new Map<string, number>()
  for (const frame of frames)
    for (const { trueId, foundId, iou } of overlapsOf(frame))
      if (iou >= minIou) together.set(`${trueId} ${foundId}`, (together.get(`${trueId} ${foundId}`) ?? 0) + 1)
  const count = (row: number, column: number) => together.get(`${trueIds[row]} ${foundIds[column]}`) ?? 0
  const pairs = bestPairs(trueIds.length, foundIds.length, count)
  const agreeing = pairs.reduce((sum, [row, column]) => sum + count(row, column), 0)
  const trueBoxes = frames.reduce((sum, { truth }) => sum + truth.length, 0)
  const foundBoxes = frames.reduce((sum, { found }) => sum + found.length, 0)
  if (trueBoxes === 0) return { idf1: null, idPrecision: null, idRecall: null }
  return {
    idf1: (2 * agreeing) / (trueBoxes + foundBoxes),
    idPrecision: foundBoxes === 0 ? null : agreeing / foundBoxes,
    idRecall: agreeing / trueBoxes,
  }
}
