import type { ProbationState } from './rollout-state.js'

/** Watches a model that took over a while ago. */
export interface Probation {
  /** One frame it judged, in the time the pool took for it. The reason when it has to go back. */
  judged(inferenceMs: number): string | null
  /** One frame it could not judge. The reason when it has to go back. */
  failed(why: string): string | null
}

/** Fewer frames say nothing about a 95th percentile. */
const leastFrames = 30
const mostFrames = 200
/** Jitter of a model that takes a millisecond is no slowness. */
const leastDifferenceMs = 5

export const createProbation = ({ failures, latencyFactor, baselineP95Ms }: ProbationState): Probation => {
  const times: number[] = []
  let frames = 0
  let failed = 0
  return {
    judged(inferenceMs) {
      times[frames++ % mostFrames] = inferenceMs
      if (baselineP95Ms === null || frames < leastFrames || frames % 10 !== 0) return null
      const p95 = times.toSorted((a, b) => a - b)[Math.floor((times.length - 1) * 0.95)]!
      const limitMs = Math.max(baselineP95Ms * latencyFactor, baselineP95Ms + leastDifferenceMs)
      if (p95 <= limitMs) return null
      return `Too slow: 95 of 100 frames took up to ${p95.toFixed(1)} ms, ${(p95 / baselineP95Ms).toFixed(1)} times the ${baselineP95Ms.toFixed(1)} ms of the model before it; allowed are ${latencyFactor} times.`
    },
    failed(why) {
      if (++failed < failures) return null
      return `${failed} frames could not be judged: ${why}`
    },
  }
}
