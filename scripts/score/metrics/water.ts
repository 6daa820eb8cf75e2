import type { TruthFrame } from '../truth.js'
import type { Span } from './figures.js'

/** True level at a time, between the frames that tell one; null outside of them. */
export const waterAt = (frames: readonly TruthFrame[], t: number): number | null => {
  const known = frames.filter(frame => typeof frame.waterCm === 'number')
  const next = known.findIndex(frame => frame.t >= t)
  if (next < 0) {
    const last = known.at(-1)
    return last && t - last.t <= maxBeyondS ? last.waterCm! : null
  }
  const after = known[next]!
  const before = known[next - 1]
  if (!before) return after.t - t <= maxBeyondS ? after.waterCm! : null
  return before.waterCm! + ((after.waterCm! - before.waterCm!) * (t - before.t)) / (after.t - before.t)
}

/** A reading taken so shortly after the last true frame is still of it. */
const maxBeyondS = 2

/** First time at which the water stands at `cm` or higher; null: never. */
export const reachedAt = (frames: readonly TruthFrame[], cm: number): number | null =>
  floodedSpans(frames, cm)[0]?.from ?? null

/** The times at which the water stands at `cm` or higher. */
export const floodedSpans = (frames: readonly TruthFrame[], cm: number): readonly Span[] => {
  const spans: { from: number; until: number }[] = []
  let before: TruthFrame | undefined
  for (const frame of frames) {
    if (typeof frame.waterCm !== 'number') continue
    const wasOver = before !== undefined && before.waterCm! >= cm
    if (frame.waterCm >= cm && wasOver) spans.at(-1)!.until = frame.t
    else if (frame.waterCm >= cm) spans.push({ from: before ? crossedAt(before, frame, cm) : frame.t, until: frame.t })
    before = frame
  }
  return spans
}

const crossedAt = (before: TruthFrame, after: TruthFrame, cm: number): number =>
  before.t + ((cm - before.waterCm!) / (after.waterCm! - before.waterCm!)) * (after.t - before.t)
