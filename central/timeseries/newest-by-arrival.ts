import { whyNotStorable } from './check-point.js'
import type { SeriesKey, SeriesPoint, TimeSeriesStore } from './time-series-store.js'

/** A point from further ahead comes from a wrong clock. */
const clockToleranceMs = 60_000

/**
 * The same store, whose `latest` is not held up by a clock that was wrong. A store goes by times alone: a point from ahead
 * stays its newest for as long as that clock was ahead. Here the next point of the series takes its place, because it came
 * later. As long as a clock is ahead its points are given as they are: from the future, which nobody takes for the present.
 *
 * Only properties that were asked for are remembered, one point per series.
 */
export const newestByArrival = (store: TimeSeriesStore, clock: () => number): TimeSeriesStore => {
  const newest = new Map<string, SeriesPoint>()
  const asked = new Set<string>()
  const read = new Set<string>()

  const note = (point: SeriesPoint): void => {
    if (!asked.has(point.property) || whyNotStorable(point) !== undefined) return
    const held = newest.get(keyOf(point))
    if (!held || point.at >= held.at || held.at > clock() + clockToleranceMs) newest.set(keyOf(point), point)
  }

  return {
    ...store,
    write: async points => {
      await store.write(points)
      points.forEach(note)
    },
    latest: async property => {
      asked.add(property)
      if (!read.has(property)) {
        for (const point of await store.latest(property)) if (!newest.has(keyOf(point))) newest.set(keyOf(point), point)
        read.add(property)
      }
      return [...newest.values()].filter(point => point.property === property)
    },
  }
}

const keyOf = ({ siteId, cameraId, analytic, property }: SeriesKey): string =>
  JSON.stringify([siteId, cameraId, analytic, property])
