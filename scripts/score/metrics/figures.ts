/** Small sums over lists. A figure over nothing is null: nothing was measured, which is not zero. */
export const meanOf = (values: readonly number[]): number | null =>
  values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length

export const rmsOf = (values: readonly number[]): number | null => {
  const meanSquare = meanOf(values.map(value => value * value))
  return meanSquare === null ? null : Math.sqrt(meanSquare)
}

export const maxOf = (values: readonly number[]): number | null => (values.length === 0 ? null : Math.max(...values))

export const shareOf = (part: number, whole: number): number | null => (whole === 0 ? null : part / whole)

/** For the report; keeps null. */
export const rounded = (value: number | null, decimals: number): number | null =>
  value === null ? null : Number(value.toFixed(decimals))

export interface Span {
  readonly from: number
  readonly until: number
}

export const overlapOf = (a: Span, b: Span): number =>
  Math.max(0, Math.min(a.until, b.until) - Math.max(a.from, b.from))

export const isWithin = (at: number, { from, until }: Span, margin = 0): boolean =>
  at >= from - margin && at <= until + margin
