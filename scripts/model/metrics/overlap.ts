/** Pixels or cells that both, or either, call the thing. Added up over pictures: intersection over union of a whole set. */
export interface Overlap {
  readonly both: number
  readonly either: number
}

export const overlapOf = (found: ArrayLike<boolean | number>, truth: ArrayLike<boolean | number>): Overlap => {
  let both = 0
  let either = 0
  for (let i = 0; i < found.length; i++) {
    if (found[i] && truth[i]) both++
    if (found[i] || truth[i]) either++
  }
  return { both, either }
}

/** Null when neither saw anything anywhere. */
export const iouOf = (overlaps: readonly Overlap[]): number | null => {
  const both = overlaps.reduce((sum, overlap) => sum + overlap.both, 0)
  const either = overlaps.reduce((sum, overlap) => sum + overlap.either, 0)
  return either === 0 ? null : both / either
}

export const mean = (values: readonly number[]): number | null =>
  values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length

/** Of the given share of the sorted values; nearest rank. */
export const quantile = (values: readonly number[], share: number): number => {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))] ?? Number.NaN
}
