/** Places values along a length in pixels. */
export interface Axis {
  readonly at: (value: number) => number
  readonly ticks: readonly number[]
}

const niceSteps = [1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 1200]

/** Ticks at round steps, at most eight. */
export const axis = (from: number, until: number, startPx: number, endPx: number): Axis => {
  const span = Math.max(until - from, 1e-6)
  const step = niceSteps.find(size => span / size <= 8) ?? span / 8
  const first = Math.ceil(from / step) * step
  const count = Math.floor((until - first) / step + 1e-9) + 1
  return {
    at: value => Number((startPx + ((value - from) / span) * (endPx - startPx)).toFixed(1)),
    ticks: Array.from({ length: Math.max(0, count) }, (_, index) => first + index * step),
  }
}
