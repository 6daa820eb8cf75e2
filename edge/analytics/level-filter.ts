import type { Quality } from '@watchpost/shared/contracts/primitives'
import { clamp, median, robustLineNow } from './statistics.js'

export type Bound = 'exact' | 'atLeast' | 'atMost'

/** What one frame says about the level. `cm` is null when the profile had no clear line. */
export interface Sighting {
  readonly at: number
  readonly cm: number | null
  readonly bound: Bound
  /** Why this sighting is not to be trusted fully. */
  readonly doubt: string | null
  readonly confidence: number
}

export interface FilteredLevel {
  readonly levelCm: number | null
  readonly bound: Bound
  readonly quality: Quality
  readonly reason?: string
  readonly confidence: number
}

/** A level may step by so much between two readings (ripples, reading noise) ... */
const freeStepCm = 8
/** ... and further by so much per second: several times the fastest flood wave on a street. */
const maxRiseCmPerSecond = 0.1
/** A step is believed when it has lasted so long, and for N readings: the wave of a truck is gone by then. */
const confirmMs = 10_000
/** After so long without a trusted level any level may be the truth. */
const trustMs = 60_000
/** Readings needed before the level is called good. */
const warmUpReadings = 3
const minWindowMs = 10_000

/**
 * Where a robust line through the last N sightings stands now, and a guard against steps no flood makes: the wave of a
 * passing truck outlasts a short window, so a step counts only when it has lasted; until then the old level stands,
 * uncertain. The plain median of N stands for half a window ago: at a key frame every 2 s and N = 5 that is 4 s late.
 */
export const createLevelFilter = ({ readings, fps }: { readings: number; fps: number }) => {
  const maxAgeMs = Math.max(minWindowMs, (3000 * readings) / fps)
  let window: Sighting[] = []
  let trusted: { at: number; cm: number; bound: Bound } | null = null
  let pending: { readonly since: number; readonly direction: number; readonly count: number } | null = null

  const guard = (at: number, cm: number, bound: Bound): { cm: number; bound: Bound; stepCm: number } => {
    const step = trusted ? cm - trusted.cm : 0
    const allowed = trusted ? freeStepCm + (maxRiseCmPerSecond * (at - trusted.at)) / 1000 : 0
    if (trusted && at - trusted.at <= trustMs && Math.abs(step) > allowed) {
      const direction = Math.sign(step)
      pending =
        pending?.direction === direction ? { ...pending, count: pending.count + 1 } : { since: at, direction, count: 1 }
      if (at - pending.since < confirmMs || pending.count < readings)
        return { cm: trusted.cm, bound: trusted.bound, stepCm: step }
    }
    trusted = { at, cm, bound }
    pending = null
    return { cm, bound, stepCm: 0 }
  }

  return {
    accept(sighting: Sighting): FilteredLevel {
      const { at } = sighting
      window = window.filter(one => one.at > at - maxAgeMs)
      if (sighting.cm !== null) window = [...window, sighting].slice(-readings)
      if (window.length === 0) return suspended(sighting.doubt ?? 'no water line has been read yet')
      const confidence = median(window.map(one => one.confidence))
      const level = guard(at, levelNow(window), commonBound(window))
      const reason = reasonOf(sighting, window, level, readings)
      return {
        levelCm: level.cm,
        bound: level.bound,
        quality: reason ? 'uncertain' : 'good',
        ...(reason ? { reason } : {}),
        confidence: reason ? confidence / 2 : confidence,
      }
    },
    clear(): void {
      window = []
      trusted = null
      pending = null
    },
  }
}

/** Never beyond what was sighted in the window: a line may foretell, a measurement must not. */
const levelNow = (window: readonly Sighting[]): number => {
  const levels = window.map(({ cm }) => cm!)
  const now = robustLineNow(window.map(({ at, cm }) => ({ at, value: cm! })))
  return clamp(now ?? median(levels), Math.min(...levels), Math.max(...levels))
}

export const suspended = (reason: string): FilteredLevel => ({
  levelCm: null,
  bound: 'exact',
  quality: 'suspended',
  reason,
  confidence: 0,
})

/** The bound that more than half of the window has, which is also the bound of its median. */
const commonBound = (window: readonly Sighting[]): Bound =>
  (['atLeast', 'atMost'] as const).find(
    bound => window.filter(one => one.bound === bound).length * 2 > window.length,
  ) ?? 'exact'

const reasonOf = (
  latest: Sighting,
  window: readonly Sighting[],
  level: { readonly bound: Bound; readonly stepCm: number },
  readings: number,
): string | null => {
  if (latest.cm === null) return latest.doubt ?? 'no clear water line'
  if (level.stepCm !== 0) return `a step of ${level.stepCm.toFixed(0)} cm awaits confirmation`
  if (level.bound === 'atLeast') return 'the water stands above the calibrated span'
  if (level.bound === 'atMost') return 'the water stands below the calibrated span'
  const doubted = window.filter(one => one.doubt !== null)
  if (doubted.length * 2 > window.length) return doubted.at(-1)!.doubt
  if (window.length < Math.min(warmUpReadings, readings)) return 'the first readings are being taken'
  return null
}
