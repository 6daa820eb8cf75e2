import type { Observation } from '@watchpost/shared/contracts/observation'
import type { Box } from '@watchpost/shared/contracts/primitives'
import type { Frame } from '../frames/frame.js'
import type { InferenceResult } from '../inference/inference-result.js'
import type { Reading } from './reading.js'

/** What `createAnalytic(config, context)` needs beside the analytic's own settings. */
export interface AnalyticContext {
  readonly cameraId: string
  /** The model's thresholds per label, from its manifest; 0.5 where none is given. */
  readonly thresholds?: Readonly<Record<string, number>>
  /** What `state()` gave before the restart. */
  readonly restored?: unknown
}

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
  /** Vehicles that are followed in this frame; for measuring how well, never published. */
  readonly tracks?: readonly FollowedVehicle[]
}

export interface FollowedVehicle {
  readonly id: number
  readonly label: string
  readonly box: Box
}

/** Pure: the same frames and results give the same output. One instance per camera and analytic. */
export interface Analytic {
  /** Frames in the order of `takenAt`. Throws when the model's result is not of the kind this analytic reads. */
  update(input: AnalyticInput): AnalyticOutput
  /**
   * The picture cannot be trusted (lens covered, camera moved): from now on every value is null and `suspended` with
   * this reason (at most 200 characters), and no reading changes a rule's state. `null` resumes.
   */
  suspend(reason: string | null): void
  /** The camera reconnected: tracks end, medians and persistence start anew; what was learnt of its view stays. */
  reset(): void
  /**
   * What it has learnt of the camera and would be long in learning again, as JSON. The same object until there is
   * something new worth storing; what cannot be read when it is restored is learnt anew.
   */
  state?(): unknown
}
