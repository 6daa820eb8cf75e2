import type { ModelPackage } from './model-package.js'
import type { Tensors } from './tensor.js'

/** Which frame the input was made from. Real models ignore it; the scripted runtime plays by it. */
export interface FrameMoment {
  readonly cameraId: string
  readonly number: number
  readonly takenAt: number
}

export interface ModelSession {
  /** `input` has the layout of `manifest.input` and one of its heights; it may be reused by the caller afterwards. One call at a time. */
  run(input: Float32Array, moment: FrameMoment): Promise<Tensors>
  close(): Promise<void>
}

/** Turns a tensor into tensors; what they mean is the decoder's business. */
export interface ModelRuntime {
  /** Rejects with a sentence when the weights do not fit the manifest. */
  open(model: ModelPackage): Promise<ModelSession>
}
