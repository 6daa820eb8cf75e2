export interface LadderReading {
  readonly at: number
  readonly value: number
  readonly bound: 'exact' | 'atLeast' | 'atMost'
  /** How much of the time since the last reading it counts for: 1 for a good reading, less in doubt. */
  readonly weight: number
}

export interface LadderSettings {
  /** Ascending. */
  readonly thresholds: readonly number[]
  readonly hysteresis: number
  readonly dwellMs: number
  readonly endDwellMs: number
  /** Time between two readings counts at most so much: nobody saw what the level did in between. */
  readonly maxGapMs: number
}

/**
 * Alarm levels with hysteresis and dwell. A level is reached when the value has stood at or above it for `dwellMs`, and
 * left when it has stood more than `hysteresis` below it for `endDwellMs`. Returns the index of the level in force, -1 for none.
 */
export const createLevelLadder = (settings: LadderSettings, startRung = -1) => {
  const { thresholds, hysteresis, dwellMs, endDwellMs, maxGapMs } = settings
  /** Time stood at or above, and clearly below, each level; null while it is not the case. */
  const above: (number | null)[] = thresholds.map(() => null)
  const below: (number | null)[] = thresholds.map(() => null)
  let rung = startRung
  let lastAt: number | null = null

  const grown = (held: number | null, isTrue: boolean, elapsedMs: number): number | null =>
    !isTrue ? null : held === null ? 0 : held + elapsedMs
  const lasted = (held: number | null | undefined, dwell: number): boolean =>
    held !== null && held !== undefined && held >= dwell

  return {
    step({ at, value, bound, weight }: LadderReading): number {
      const elapsedMs = lastAt === null ? 0 : Math.min(Math.max(0, at - lastAt), maxGapMs) * weight
      lastAt = at
      for (const [index, threshold] of thresholds.entries()) {
        above[index] = grown(above[index]!, value >= threshold && bound !== 'atMost', elapsedMs)
        below[index] = grown(below[index]!, value < threshold - hysteresis && bound !== 'atLeast', elapsedMs)
      }
      const reached = above.findLastIndex(held => lasted(held, dwellMs))
      if (reached > rung) rung = reached
      while (rung >= 0 && lasted(below[rung], endDwellMs)) rung--
      return rung
    },
    /** What stood until now no longer counts: the sight was lost. The level in force stays. */
    forgetPending(): void {
      above.fill(null)
      below.fill(null)
      lastAt = null
    },
  }
}
