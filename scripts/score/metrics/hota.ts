import { bestPairs } from './best-pairs.js'
import { meanOf } from './figures.js'
import { overlapsOf, type TrackFrame } from './track-frames.js'

export interface HotaScore {
  /** Means over all localisation thresholds. */
  readonly hota: number | null
  readonly detection: number | null
  readonly association: number | null
}

/** Localisation thresholds of Luiten et al. (2020): 0.05, 0.10 … 0.95. */
const alphas = Array.from({ length: 19 }, (_, index) => (index + 1) / 20)
const slack = 1e-9

/**
 * HOTA of Luiten et al. (2020). Per frame true and found boxes are paired so that ids which belong together over the whole
 * sequence come first (their global alignment weighs the overlap); a pair counts at α when it overlaps by α. Then
 * HOTA(α) = √(DetA · AssA). Null without any true box.
 */
export const hotaScore = (frames: readonly TrackFrame[]): HotaScore => {
  const trueCounts = countsOf(frames.map(({ truth }) => truth))
  const foundCounts = countsOf(frames.map(({ found }) => found))
  const trueBoxes = total(trueCounts)
  const foundBoxes = total(foundCounts)
  if (trueBoxes === 0) return { hota: null, detection: null, association: null }
  const alignment = alignmentOf(frames, trueCounts, foundCounts)
  const pairs = frames.flatMap(frame => pairsOf(frame, alignment))
  const scores = alphas.map(alpha => {
    const matched = new Map<string, number>()
    for (const { trueId, foundId, iou } of pairs) if (iou >= alpha - slack) add(matched, keyOf(trueId, foundId), 1)
    const hits = total(matched)
    const detection = hits / (trueBoxes + foundBoxes - hits)
    const association =
      [...matched].reduce((sum, [key, count]) => {
        const [trueId, foundId] = idsOf(key)
        return sum + (count * count) / (trueCounts.get(trueId)! + foundCounts.get(foundId)! - count)
      }, 0) / Math.max(1, hits)
    return { hota: Math.sqrt(detection * association), detection, association }
  })
  return {
    hota: meanOf(scores.map(({ hota }) => hota)),
    detection: meanOf(scores.map(({ detection }) => detection)),
    association: meanOf(scores.map(({ association }) => association)),
  }
}

const separator = '\u0000'
const keyOf = (trueId: string, foundId: string): string => `${trueId}${separator}${foundId}`
const idsOf = (key: string): [string, string] => key.split(separator) as [string, string]
const add = (map: Map<string, number>, key: string, value: number): void =>
  void map.set(key, (map.get(key) ?? 0) + value)
const total = (map: ReadonlyMap<string, number>): number => [...map.values()].reduce((sum, value) => sum + value, 0)

const countsOf = (frames: readonly (readonly { readonly id: string }[])[]): Map<string, number> => {
  const counts = new Map<string, number>()
  for (const boxes of frames) for (const { id } of boxes) add(counts, id, 1)
  return counts
}

/** How well two ids go together over all frames: a Jaccard index of soft matches. */
const alignmentOf = (
  frames: readonly TrackFrame[],
  trueCounts: ReadonlyMap<string, number>,
  foundCounts: ReadonlyMap<string, number>,
): ReadonlyMap<string, number> => {
  const soft = new Map<string, number>()
  for (const frame of frames) {
    const overlaps = overlapsOf(frame)
    const ofTrue = new Map<string, number>()
    const ofFound = new Map<string, number>()
    for (const { trueId, foundId, iou } of overlaps) {
      add(ofTrue, trueId, iou)
      add(ofFound, foundId, iou)
    }
    for (const { trueId, foundId, iou } of overlaps)
      add(soft, keyOf(trueId, foundId), iou / (ofTrue.get(trueId)! + ofFound.get(foundId)! - iou))
  }
  return new Map(
    [...soft].map(([key, value]) => {
      const [trueId, foundId] = idsOf(key)
      return [key, value / (trueCounts.get(trueId)! + foundCounts.get(foundId)! - value)]
    }),
  )
}

const pairsOf = (frame: TrackFrame, alignment: ReadonlyMap<string, number>) => {
  const overlaps = new Map(overlapsOf(frame).map(overlap => [keyOf(overlap.trueId, overlap.foundId), overlap]))
  const keyAt = (row: number, column: number) => keyOf(frame.truth[row]!.id, frame.found[column]!.id)
  const gain = (row: number, column: number) => {
    const key = keyAt(row, column)
    return (alignment.get(key) ?? 0) * (overlaps.get(key)?.iou ?? 0)
  }
  return bestPairs(frame.truth.length, frame.found.length, gain).map(
    ([row, column]) => overlaps.get(keyAt(row, column))!,
  )
}
