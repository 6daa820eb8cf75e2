import type { Box } from '@watchpost/shared/contracts/primitives'
import { largestRegion } from './grid-region.js'
import { createTrend, mean, median } from './statistics.js'

export interface Plume {
  /** In at least k of the last n frames. */
  readonly present: boolean
  /** Median of the last n frames, so that one odd frame makes no event graver. */
  readonly share: number
  readonly confidence: number
  readonly growthPerMinute: number
  readonly flicker: number
  readonly box: Box | null
}

export interface PlumeGrid {
  readonly columns: number
  readonly rows: number
  /** Scores of one label, row by row. */
  readonly scores: Float32Array
}

const growthWindow = { windowMs: 120_000, bucketMs: 5_000 }
const minGrowthSpanMs = 20_000
/** Weight of the newest frame in the running flicker: about the last six frames count. */
const flickerWeight = 0.3

/** Smoke or flame in one zone: which cells are above the threshold, for how long, growing and flickering how much. */
export const createPlumeZone = (settings: {
  readonly persistence: { readonly k: number; readonly n: number }
  readonly minShare: number
}) => {
  const { persistence, minShare } = settings
  const trend = createTrend(growthWindow)
  let shares: number[] = []
  let previous: readonly number[] | null = null
  let flicker = 0
  let seen: { readonly box: Box; readonly confidence: number } | null = null

  return {
    accept(at: number, grid: PlumeGrid, cells: readonly number[], threshold: number): Plume {
      const scores = cells.map(cell => grid.scores[cell]!)
      const active = cells.filter((_, index) => scores[index]! >= threshold)
      const share = active.length / cells.length
      const changes = previous
        ? scores.flatMap((score, index) =>
            score >= threshold || previous![index]! >= threshold ? [Math.abs(score - previous![index]!)] : [],
          )
        : []
      if (changes.length > 0) flicker += flickerWeight * (mean(changes) - flicker)
      previous = scores
      shares = [...shares, share].slice(-persistence.n)
      const present = shares.filter(one => one > 0 && one >= minShare).length >= persistence.k
      // Growth is that of a plume that is there: its appearance itself would look like the fastest of all.
      if (present) trend.add({ at, value: share })
      else trend.clear()
      const region = largestRegion(active, grid.columns, grid.rows)
      if (region) seen = { box: region.box, confidence: mean(region.cells.map(cell => grid.scores[cell]!)) }
      // A plume that a gust hides for a frame keeps its last box; one that is gone has none.
      if (!region && !present) seen = null
      return {
        present,
        share: median(shares),
        confidence: seen?.confidence ?? 0,
        growthPerMinute: trend.spanMs() >= minGrowthSpanMs ? (trend.slope() ?? 0) * 60_000 : 0,
        flicker,
        box: seen?.box ?? null,
      }
    },
    clear(): void {
      trend.clear()
      shares = []
      previous = null
      flicker = 0
      seen = null
    },
  }
}
