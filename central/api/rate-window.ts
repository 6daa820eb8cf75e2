/**
 * Counts calls per key in fixed windows. Memory is bounded: all counts go when a window ends, and beyond `maxKeys` new
 * keys share one count, so that a flood of addresses limits itself.
 */
export interface RateWindow {
  /** Seconds to wait when the key has used up its calls; 0: go on. */
  take(key: string): number
}

export const createRateWindow = (options: {
  readonly calls: number
  readonly windowMs: number
  readonly maxKeys: number
  readonly clock: () => number
}): RateWindow => {
  let startedAt = Number.NEGATIVE_INFINITY
  let counts = new Map<string, number>()
  return {
    take: key => {
      const now = options.clock()
      if (now - startedAt >= options.windowMs || now < startedAt) {
        startedAt = now
        counts = new Map()
      }
      const counted = counts.has(key) || counts.size < options.maxKeys ? key : ''
      const count = (counts.get(counted) ?? 0) + 1
      counts.set(counted, count)
      return count > options.calls ? Math.ceil((startedAt + options.windowMs - now) / 1000) : 0
    },
  }
}
