import type { Box } from '@watchpost/shared/contracts/primitives'

/** One object in one frame, by one model. `confidence` is 0..1. */
export interface Detection {
  readonly label: string
  readonly confidence: number
  readonly box: Box
  /** The box holds whoever rides as well; otherwise a rider is a detection of their own. */
  readonly withRider?: true
}

export interface ModelIdentity {
  readonly id: string
  readonly version: string
  /** SHA-256 of the weights. */
  readonly sha256: string
}

/** What a decoder makes of a model's output tensors; positions are fractions of the whole frame. */
export type Decoded =
  | { readonly kind: 'detections'; readonly detections: readonly Detection[] }
  /** Score 0..1 per label and cell: `scores[(label * rows + row) * columns + column]`. */
  | {
      readonly kind: 'grid'
      readonly labels: readonly string[]
      readonly rows: number
      readonly columns: number
      readonly scores: Float32Array
    }
  /** Score 0..1 per pixel of a mask stretched over the frame: `scores[row * width + column]`. */
  | {
      readonly kind: 'mask'
      readonly label: string
      readonly width: number
      readonly height: number
      readonly scores: Float32Array
    }
  | { readonly kind: 'classes'; readonly scores: Readonly<Record<string, number>> }

export interface InferenceResult {
  readonly model: ModelIdentity
  readonly decoded: Decoded
  /** Time in the worker: preparation, run and decoding. */
  readonly inferenceMs: number
}
