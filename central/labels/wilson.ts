/** 95 % of a normal distribution lie within so many standard deviations. */
const z = 1.959964

/**
 * Wilson score interval of a share: right for few trials and for shares near 0 and 1, where judging 3 of 3 right must not
 * read as certainty. Null before the first trial.
 */
export const wilson = (
  successes: number,
  trials: number,
): { readonly share: number; readonly low: number; readonly high: number } | null => {
  if (trials === 0) return null
  const share = successes / trials
  const scale = 1 + (z * z) / trials
  const middle = (share + (z * z) / (2 * trials)) / scale
  const half = (z * Math.sqrt((share * (1 - share)) / trials + (z * z) / (4 * trials * trials))) / scale
  // The ends are exact there; a sum of floats would leave 1e-17.
  const low = successes === 0 ? 0 : Math.max(0, middle - half)
  const high = successes === trials ? 1 : Math.min(1, middle + half)
  return { share, low, high }
}
