import { clamp, mean, median } from './statistics.js'

/** Where water gives way to not-water along a profile of scores read from low to high. */
export interface WaterLine {
  /** Samples of the profile under water, with a fraction: 0 is dry, `profile.length` is water all the way. */
  readonly position: number
  readonly side: 'within' | 'below' | 'above'
  /** Share of the samples on the wrong side of the line: 0 for a clean step, 0.5 for noise. */
  readonly misfit: number
  /** Score of water minus score of the rest. */
  readonly contrast: number
}

/** Below this contrast the two parts of a profile are one and the same surface. */
const minContrast = 0.3
/** A part with a lower score than this is not water, however dark the rest. */
const minWaterScore = 0.35
/**
 * The edge is placed from the samples around the split, as many as its blur takes: from where the score is within this
 * share of the water's level to where it is within this share of the rest's. More would add noise and no knowledge.
 */
const plateau = 0.1
const maxEdgeHalfWindow = 12

/**
 * The best single split: the two-level step (water below, rest above) with the least squared error over the whole profile.
 * One split for all samples is what makes it robust: a reflection, a hole or a floating board is outvoted, whereas the
 * first or last crossing of a threshold would follow it.
 */
export const findWaterLine = (profile: ArrayLike<number>): WaterLine => {
  const split = bestSplit(profile)
  if (!split) return uniform(profile)
  const { index } = split
  // Medians, since the means of both parts are drawn towards each other by the blur of the edge.
  const water = median(Array.from(profile).slice(0, index))
  const rest = median(Array.from(profile).slice(index))
  const contrast = Math.max(water - rest, 0.01)
  const threshold = (water + rest) / 2
  let wrong = 0
  for (let sample = 0; sample < profile.length; sample++) if (profile[sample]! >= threshold !== sample < index) wrong++
  const level = (sample: number) => (profile[sample]! - rest) / contrast
  const widest = Math.min(maxEdgeHalfWindow, index, profile.length - index)
  let reach = 1
  while (reach < widest && (level(index - reach) < 1 - plateau || level(index + reach - 1) > plateau)) reach++
  reach = Math.min(reach + 1, widest)
  // The area under the normalised edge places it with less than a sample's error, whatever the shape of the blur.
  let position = index - reach
  for (let sample = index - reach; sample < index + reach; sample++) position += clamp(level(sample), 0, 1)
  return { position, side: 'within', misfit: wrong / profile.length, contrast }
}

const bestSplit = (profile: ArrayLike<number>): { readonly index: number } | null => {
  const count = profile.length
  const total = mean(profile) * count
  let best: { index: number } | null = null
  let bestGain = 0
  let below = 0
  for (let index = 1; index < count; index++) {
    below += profile[index - 1]!
    const water = below / index
    const rest = (total - below) / (count - index)
    if (water - rest < minContrast || water < minWaterScore) continue
    const gain = index * (count - index) * (water - rest) ** 2
    if (gain > bestGain) {
      bestGain = gain
      best = { index }
    }
  }
  return best
}

const uniform = (profile: ArrayLike<number>): WaterLine => {
  let wet = 0
  for (let sample = 0; sample < profile.length; sample++) if (profile[sample]! >= 0.5) wet++
  const share = wet / profile.length
  const score = mean(profile)
  return score >= 0.5
    ? { position: profile.length, side: 'above', misfit: 1 - share, contrast: score }
    : { position: 0, side: 'below', misfit: share, contrast: 1 - score }
}
