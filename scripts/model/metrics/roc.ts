/** Chance that a picture with the thing scores above one without; ties count half. Null when one kind is missing. */
export const auc = (shown: readonly number[], notShown: readonly number[]): number | null => {
  if (shown.length === 0 || notShown.length === 0) return null
  const sorted = notShown.toSorted((a, b) => a - b)
  const sum = shown.reduce((total, score) => total + (countBelow(sorted, score) + countUpTo(sorted, score)) / 2, 0)
  return sum / shown.length / sorted.length
}

/**
 * Share of the pictures with the thing that score above the lowest threshold which lets at most `rate` of those without through.
 * Only what is strictly above it is found: of pictures that score the same, all or none are.
 */
export const recallAtFpr = (shown: readonly number[], notShown: readonly number[], rate: number): number | null => {
  if (shown.length === 0 || notShown.length === 0) return null
  const threshold = thresholdAt(notShown, rate)
  return shown.filter(score => score > threshold).length / shown.length
}

const thresholdAt = (notShown: readonly number[], rate: number): number => {
  const sorted = notShown.toSorted((a, b) => b - a)
  // 0.05 × 60 is 3, also where binary fractions make it 2.9999999999999996.
  return sorted[Math.floor(rate * sorted.length + 1e-9)] ?? Number.NEGATIVE_INFINITY
}

/** How many of the ascending values are below, and below or equal to, a value. */
const countBelow = (sorted: readonly number[], value: number): number => search(sorted, other => other < value)
const countUpTo = (sorted: readonly number[], value: number): number => search(sorted, other => other <= value)

const search = (sorted: readonly number[], isLeft: (value: number) => boolean): number => {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (isLeft(sorted[middle]!)) low = middle + 1
    else high = middle
  }
  return low
}
