import type { Quality } from '@watchpost/shared/contracts/primitives'

export interface SeriesKey {
  readonly siteId: string
  readonly cameraId: string
  readonly analytic: string
  readonly property: string
}

export interface SeriesPoint extends SeriesKey {
  /** Unix milliseconds of the phenomenon. */
  readonly at: number
  readonly value: number | null
  readonly unit: string
  readonly quality: Quality
}

export interface SeriesQuery extends Omit<SeriesKey, 'siteId' | 'analytic'> {
  /** Undefined: of every site that has such a camera. */
  readonly siteId?: string
  readonly analytic?: string
  /** Unix ms, inclusive; `to` is exclusive. With windows both are widened to whole ones. */
  readonly from: number
  readonly to: number
  /** Values are averaged over windows of this length, counted from the Unix epoch; undefined: as stored. */
  readonly windowMs?: number
  /** Of more values than this the newest are returned. */
  readonly limit: number
}

export interface SeriesValue {
  /** Unix ms; of a window, its beginning. */
  readonly at: number
  readonly value: number | null
  readonly min: number | null
  readonly max: number | null
  /** Of a window: good when every reading was good, suspended when there was no value at all, else uncertain. */
  readonly quality: Quality
}

/** A point was refused for good; told once per point. */
export type OnRefused = (point: SeriesPoint, reason: string) => void

/** Order of badness; stored as the index. */
export const qualities: readonly Quality[] = ['good', 'uncertain', 'suspended']

/** Where observations are kept. */
export interface TimeSeriesStore {
  /** Idempotent on (key, at). Durable when it resolves. A point the store refuses for good is quarantined alone and counted. */
  write(points: readonly SeriesPoint[]): Promise<void>
  /** Ascending by time. Windows without a reading are left out. */
  query(query: SeriesQuery): Promise<readonly SeriesValue[]>
  /** Newest point of each series with this property by time, in any order; one from the future is one from a wrong clock. */
  latest(property: string): Promise<readonly SeriesPoint[]>
  /** Rejects with a reason when the store cannot be reached. */
  ping(): Promise<void>
  close(): Promise<void>
}
