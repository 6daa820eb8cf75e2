import type { TSchema } from '@sinclair/typebox'
import type { ModelManifest } from '@watchpost/shared/manifest/model-manifest'
import type { Decoded } from '../inference-result.js'
import type { InputGeometry } from '../preprocess/preprocess.js'
import type { Tensors } from '../tensor.js'

/** Pure: the same tensors give the same answer. Copies what it keeps, because tensors are reused. */
export type Decode = (outputs: Tensors, geometry: InputGeometry) => Decoded

export interface Decoder {
  /** What its answers are; analytics read one kind each. */
  readonly gives: Decoded['kind']
  /** It can read outputs of an input that is taller than `manifest.input.height`; else such packages are refused. */
  readonly readsTallerHeights?: boolean
  /** Of `manifest.decoder` without `name`; every option has a default. Unknown options are errors. */
  readonly options: TSchema
  /** What of outputs, labels and options does not fit together; sentences. Called with options that fit the schema. */
  problems(manifest: ModelManifest, options: unknown): readonly string[]
  /** Called once per session, after `problems` was empty. */
  create(manifest: ModelManifest, options: unknown): Decode
}
