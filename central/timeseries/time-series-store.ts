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
  readonly analytic?: string
  readonly from: number
  readonly to: number
  /** Values are averaged over windows of this length; undefined: as stored. */
  readonly windowMs?: number
  readonly limit: number
}

export interface SeriesValue {
  readonly at: number
  readonly value: number | null
  readonly min: number | null
  readonly max: number | null
  readonly quality: Quality
}

/** Where observations are kept. */
export interface TimeSeriesStore {
  /** Idempotent on (key, at). Durable when it resolves. A point the store refuses for good is quarantined alone and counted. */
  write(points: readonly SeriesPoint[]): Promise<void>
  /** Ascending by time. */
  query(query: SeriesQuery): Promise<readonly SeriesValue[]>
  /** Newest point of each series with this property. */
  latest(property: string): Promise<readonly SeriesPoint[]>
  /** Rejects with a reason when the store cannot be reached. */
  ping(): Promise<void>
  close(): Promise<void>
}
