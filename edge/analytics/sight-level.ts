import type { Gauge, ScoreMask } from './gauge.js'
import type { Bound, Sighting } from './level-filter.js'
import { clamp } from './statistics.js'
import { findWaterLine, type WaterLine } from './water-line.js'

/** More of the profile than this on the wrong side of the line, and there is no line to speak of. */
const maxMisfit = 0.2
/** Halves of the strip may differ by so much: ripples, a slanted staff ... */
const halvesToleranceCm = 5
/** ... or by so many samples where a sample is worth more than that. */
const halvesToleranceSamples = 6
/** A gauge whose foot is this near to its zero stands on the road: no water at the foot is a dry road, 0 cm. */
const dryFootCm = 10

/** One frame's level from a water mask along a gauge. */
export const sightLevel = (gauge: Gauge, mask: ScoreMask, threshold: number, at: number): Sighting => {
  const profiles = gauge.profiles(mask, threshold)
  const samples = profiles.whole.length
  const line = findWaterLine(profiles.whole)
  const confidence = clamp(1 - 2 * line.misfit, 0, 1) * clamp(line.contrast + 0.3, 0, 1)
  if (line.misfit > maxMisfit)
    return { at, cm: null, bound: 'exact', doubt: 'the gauge shows no clear water line', confidence: 0 }
  const cm = (of: WaterLine) => gauge.cmAtSample(of.position, samples)
  const [left, right] = [findWaterLine(profiles.left), findWaterLine(profiles.right)]
  const apartCm = Math.abs(cm(left) - cm(right))
  const apartSamples = Math.abs(left.position - right.position)
  const halvesDisagree = apartCm > halvesToleranceCm && apartSamples > halvesToleranceSamples
  return {
    at,
    ...boundedLevel(gauge, line, cm(line)),
    doubt: halvesDisagree ? `the halves of the strip differ by ${apartCm.toFixed(0)} cm` : null,
    confidence: halvesDisagree ? confidence / 2 : confidence,
  }
}

const boundedLevel = (gauge: Gauge, line: WaterLine, cm: number): { cm: number; bound: Bound } => {
  if (line.side === 'above') return { cm: gauge.topCm, bound: 'atLeast' }
  if (line.side === 'within') return { cm, bound: 'exact' }
  return Math.abs(gauge.footCm) <= dryFootCm ? { cm: 0, bound: 'exact' } : { cm: gauge.footCm, bound: 'atMost' }
}
