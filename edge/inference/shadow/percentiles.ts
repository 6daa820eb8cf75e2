/** So many of the newest values count: minutes of a camera, and little to sort. */
const kept = 500

/** Percentiles over the newest values. */
export const createPercentiles = () => {
  const values: number[] = []
  let next = 0
  return {
    add(value: number): void {
      values[next] = value
      next = (next + 1) % kept
    },
    count: () => values.length,
    /** Null before the first value. */
    read(): { p50: number; p95: number } | null {
      if (values.length === 0) return null
      const sorted = values.toSorted((a, b) => a - b)
      const at = (share: number): number => Math.round(sorted[Math.floor((sorted.length - 1) * share)]! * 100) / 100
      return { p50: at(0.5), p95: at(0.95) }
    },
  }
}

/** Of milliseconds. */
export type Latency = ReturnType<typeof createPercentiles>
