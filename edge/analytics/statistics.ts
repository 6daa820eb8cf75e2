export const clamp = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value))

/** ln(score / (1 - score)) of a model's score 0..1; nearer to 0 and 1 than `least` it says nothing more. */
export const logOdds = (score: number, least: number): number => {
  const inside = clamp(score, least, 1 - least)
  return Math.log(inside / (1 - inside))
}

export const mean = (values: ArrayLike<number>, from = 0, to = values.length): number => {
  let sum = 0
  for (let index = from; index < to; index++) sum += values[index]!
  return to > from ? sum / (to - from) : 0
}

/** Middle value; of an even number of values the mean of the two in the middle. NaN of none. */
export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

export interface TimedValue {
  readonly at: number
  readonly value: number
}

/**
 * Theil-Sen: the median of the slopes of all pairs, per millisecond. Up to 29 % of the points may be wrong without moving
 * it, which least squares does not survive (one passing truck). Quadratic, so callers thin their window. Null below two
 * points in time.
 */
export const robustSlope = (points: readonly TimedValue[]): number | null => {
  const slopes: number[] = []
  for (const [index, later] of points.entries())
    for (let before = 0; before < index; before++) {
      const elapsed = later.at - points[before]!.at
      if (elapsed > 0) slopes.push((later.value - points[before]!.value) / elapsed)
    }
  return slopes.length > 0 ? median(slopes) : null
}

/** Fewer points than these make no line. */
const minLinePoints = 3

/**
 * Value of a line through the points at the time of the last one, by repeated medians (Siegel 1982): nearly half of the
 * points may be wrong without moving it, as with a plain median, but it does not lag behind a steady change. Null below
 * three points in time.
 */
export const robustLineNow = (points: readonly TimedValue[]): number | null => {
  const last = points.at(-1)
  if (!last || new Set(points.map(({ at }) => at)).size < minLinePoints) return null
  const slope = median(
    points.map(one =>
      median(points.filter(other => other.at !== one.at).map(other => (other.value - one.value) / (other.at - one.at))),
    ),
  )
  return median(points.map(({ at, value }) => value + slope * (last.at - at)))
}

/** A window of values in time, one per bucket, so that its length bounds the work of `robustSlope`. */
export const createTrend = ({ windowMs, bucketMs }: { windowMs: number; bucketMs: number }) => {
  let points: TimedValue[] = []
  let slope: number | null = null
  const inBucket = (point: TimedValue) => Math.floor(point.at / bucketMs)
  return {
    add(point: TimedValue): void {
      const last = points.at(-1)
      const isNewBucket = !last || inBucket(last) !== inBucket(point)
      if (!isNewBucket) points.pop()
      points.push(point)
      points = points.filter(({ at }) => at > point.at - windowMs)
      if (isNewBucket) slope = robustSlope(points)
    },
    /** Change per millisecond as of the last new bucket; null below two points. */
    slope: (): number | null => slope,
    spanMs: (): number => (points.length > 1 ? points.at(-1)!.at - points[0]!.at : 0),
    clear(): void {
      points = []
      slope = null
    },
  }
}
