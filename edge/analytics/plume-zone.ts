import type { Box } from '@watchpost/shared/contracts/primitives'
import { type EvidenceOptions, type PlumeGrid, plumeEvidence, type SeenPlume } from './plume-evidence.js'
import { createTrend, mean, median } from './statistics.js'
import type { Unusual } from './usual-scores.js'

export interface Plume {
  /** Shown in at least k of the last n frames. */
  readonly present: boolean
  /** Median of the last n frames, so that one odd frame makes no event graver. */
  readonly share: number
  readonly confidence: number
  readonly growthPerMinute: number
  readonly flicker: number
  readonly box: Box | null
  /** Null exactly when there is no box. */
  readonly footX: number | null
}

const growthWindow = { windowMs: 120_000, bucketMs: 5_000 }
const minGrowthSpanMs = 20_000
/** Weight of the newest frame in the running flicker: about the last six frames count. */
const flickerWeight = 0.3

/** Smoke or flame in one zone: what stands out from the usual, for how long, growing and flickering how much. */
export const createPlumeZone = ({
  persistence,
}: {
  readonly persistence: { readonly k: number; readonly n: number }
}) => {
  const trend = createTrend(growthWindow)
  let frames: readonly { readonly share: number; readonly counts: boolean }[] = []
  let previous: readonly number[] | null = null
  let flicker = 0
  let seen: SeenPlume | null = null

  return {
    accept(at: number, grid: PlumeGrid, cells: readonly number[], unusual: Unusual, options: EvidenceOptions): Plume {
      const { isEnough, share, plume } = plumeEvidence(grid, cells, unusual, options)
      frames = [...frames, { share, counts: isEnough }].slice(-persistence.n)
      const present = frames.filter(({ counts }) => counts).length >= persistence.k
      const scores = cells.map(cell => grid.scores[cell]!)
      const changes = scores.flatMap((score, index) => {
        const before = previous?.[index] ?? score
        return Math.max(score, before) >= options.threshold ? [Math.abs(score - before)] : []
      })
      if (previous && changes.length > 0) flicker += flickerWeight * (mean(changes) - flicker)
      previous = scores
      // Growth is that of a plume that is there: its appearance itself would look like the fastest of all.
      if (present) trend.add({ at, value: share })
      else trend.clear()
      if (plume) seen = plume
      // A plume that a gust hides for a frame keeps its last box; one that is gone has none.
      else if (!present) seen = null
      return {
        present,
        share: median(frames.map(one => one.share)),
        confidence: seen?.confidence ?? 0,
        growthPerMinute: trend.spanMs() >= minGrowthSpanMs ? (trend.slope() ?? 0) * 60_000 : 0,
        flicker,
        box: seen?.box ?? null,
        footX: seen?.footX ?? null,
      }
    },
    clear(): void {
      trend.clear()
      frames = []
      previous = null
      flicker = 0
      seen = null
    },
  }
}
