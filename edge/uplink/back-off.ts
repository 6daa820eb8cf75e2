/** Pauses between attempts: doubling from `firstMs` to `longestMs`, each with jitter, so that 650 agents do not return at once. */
export const createBackOff = (firstMs: number, longestMs: number, random: () => number = Math.random) => {
  let attempts = 0
  return {
    nextMs: (): number => Math.min(longestMs, firstMs * 2 ** attempts++) * (0.5 + random() / 2),
    reset: (): void => {
      attempts = 0
    },
  }
}
