import type { SeriesPoint } from './time-series-store.js'

/** Year 1970 to 2200: InfluxDB counts nanoseconds in 64 bits and ends in 2262. */
const latestMs = 7_258_118_400_000

/** Why no store could hold this point, or undefined. */
export const whyNotStorable = ({ at, value }: SeriesPoint): string | undefined => {
  if (!Number.isSafeInteger(at) || at < 0 || at > latestMs) return `${at} is not a time between 1970 and 2200`
  if (value !== null && !Number.isFinite(value)) return `${value} is not a number`
  return undefined
}

/** The points that can be stored; the others are told to `onRefused`. */
export const storable = (
  points: readonly SeriesPoint[],
  onRefused: (point: SeriesPoint, reason: string) => void,
): readonly SeriesPoint[] =>
  points.filter(point => {
    const reason = whyNotStorable(point)
    if (reason !== undefined) onRefused(point, reason)
    return reason === undefined
  })
