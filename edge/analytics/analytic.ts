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
  /** Size of the model's input, in pixels. Looked up at every frame, like the thresholds: another package may take over. */
  readonly modelInput?: FrameSize
  /** What `state()` gave before the restart. */
  readonly restored?: unknown
}

export interface FrameSize {
  readonly width: number
  readonly height: number
}

/** What one analytic sees of one frame. */
export interface AnalyticInput {
  readonly frame: Frame
  /** Of the whole frame; of the close-up when that alone was asked for; null for analytics without a model. */
  readonly result: InferenceResult | null
  /** What the model says about the part that `Analytic.closeUp` asked for; its positions are fractions of that part. */
  readonly closeUp?: { readonly region: Box; readonly result: InferenceResult }
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

/** A part of the frame, in fractions of it, that the model shall look at beside the whole or in its place. */
export interface CloseUp {
  readonly region: Box
  readonly withWhole: boolean
}

/** Pure: the same frames and results give the same output. One instance per camera and analytic. */
export interface Analytic {
  /** Asked before each frame; without it, and for null, the model looks at the whole frame only. */
  closeUp?(frame: FrameSize): CloseUp | null
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
