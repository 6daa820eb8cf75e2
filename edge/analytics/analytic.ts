import type { Observation } from '@watchpost/shared/contracts/observation'
import type { Frame } from '../frames/frame.js'
import type { InferenceResult } from '../inference/inference-result.js'
import type { Reading } from './reading.js'

/** What one analytic sees of one frame. `result` is null for analytics without a model. */
export interface AnalyticInput {
  readonly frame: Frame
  readonly result: InferenceResult | null
}

export interface AnalyticOutput {
  /** Published as they are; `phenomenonTime` is the frame's. */
  readonly observations: readonly Observation[]
  /** Facts for the rules; never published. */
  readonly readings: readonly Reading[]
}

/** Pure: the same frames and results give the same output. One instance per camera and analytic. */
export interface Analytic {
  update(input: AnalyticInput): AnalyticOutput
  /** The camera reconnected: tracks end, medians and persistence start anew. */
  reset(): void
}
