import type { Box } from '@watchpost/shared/contracts/primitives'
import { overlapOfBoxes } from '@watchpost/edge/inference/decoders/boxes'
import type { Decoded, Detection } from '@watchpost/edge/inference/inference-result'

/** Boxes of two models on one picture are the same object from this overlap on. */
const sameObjectIou = 0.5

export interface Pair {
  readonly a: Detection
  readonly b: Detection
  readonly iou: number
}

/** Detections of two answers, paired within a label: the surest of A takes the best of B that is left. */
export const pairDetections = (
  a: readonly Detection[],
  b: readonly Detection[],
): { readonly pairs: readonly Pair[]; readonly onlyA: readonly Detection[]; readonly onlyB: readonly Detection[] } => {
  const left = new Set(b)
  const pairs: Pair[] = []
  const onlyA: Detection[] = []
  for (const one of a.toSorted((x, y) => y.confidence - x.confidence)) {
    const best = [...left]
      .filter(({ label }) => label === one.label)
      .map(other => ({ other, iou: overlapOfBoxes(one.box as Box, other.box as Box) }))
      .reduce((most, next) => (next.iou > most.iou ? next : most), { other: one, iou: 0 })
    if (best.iou < sameObjectIou) onlyA.push(one)
    else {
      left.delete(best.other)
      pairs.push({ a: one, b: best.other, iou: best.iou })
    }
  }
  return { pairs, onlyA, onlyB: [...left] }
}

/** Largest difference of a score between two answers to the same picture; 1 when one holds what the other does not. */
export const largestDifference = (a: Decoded, b: Decoded, surelySeenFrom: number): number => {
  if (a.kind === 'detections' && b.kind === 'detections') {
    const { pairs, onlyA, onlyB } = pairDetections(a.detections, b.detections)
    const alone = [...onlyA, ...onlyB].some(({ confidence }) => confidence >= surelySeenFrom)
    return alone ? 1 : Math.max(0, ...pairs.map(pair => Math.abs(pair.a.confidence - pair.b.confidence)))
  }
  const [x, y] = [scoresOf(a), scoresOf(b)]
  if (x.length !== y.length) return 1
  return x.reduce((most, value, i) => Math.max(most, Math.abs(value - y[i]!)), 0)
}

const scoresOf = (decoded: Decoded): readonly number[] => {
  if (decoded.kind === 'classes') return Object.values(decoded.scores)
  return decoded.kind === 'detections' ? [] : Array.from(decoded.scores)
}
