/** Counts events over the last seconds; the rate is 0 soon after they cease. */
export const createRateMeter = (windowMs = 10_000): { mark(atMs: number): void; perSecond(nowMs: number): number } => {
  let times: number[] = []
  let firstAt: number | undefined
  return {
    mark(atMs) {
      firstAt ??= atMs
      times.push(atMs)
      if (times.length > 1024) times = times.slice(-512)
    },
    perSecond(nowMs) {
      times = times.filter(time => time > nowMs - windowMs)
      if (firstAt === undefined || times.length === 0) return 0
      // A camera that has just begun is measured over its own short life.
      const spanMs = Math.min(windowMs, Math.max(nowMs - firstAt, 1_000))
      return (times.length * 1000) / spanMs
    },
  }
}
