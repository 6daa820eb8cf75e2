import type { GraphWeights } from './graph-model.js'
import type { Attribute } from './onnx-file.js'

/** A value of the ONNX graph: channels first where the TF.js graph has them last. */
export interface Emitted {
  readonly name: string
  readonly shape: readonly number[]
}

/** What an operator needs to write its ONNX counterpart. */
export interface Emitter {
  /** Input size of the converted graph divided by the original's, [vertical, horizontal]: sizes in the graph grow with it. */
  readonly growth: readonly [number, number]
  value(node: string): Emitted
  /** Constants as they are stored, channels last; a sentence when the node is not constant. */
  weights(node: string): GraphWeights
  constant(name: string, shape: readonly number[], data: Float32Array | BigInt64Array): string
  node(
    operator: string,
    inputs: readonly string[],
    output: Emitted,
    attributes?: Readonly<Record<string, Attribute>>,
  ): Emitted
}
