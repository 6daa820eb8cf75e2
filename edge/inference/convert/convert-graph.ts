import type { Emitted, Emitter } from './emitter.js'
import type { GraphModel, GraphNode, GraphWeights } from './graph-model.js'
import type { OnnxConstant, OnnxGraph, OnnxNode } from './onnx-file.js'
import { operators } from './operators.js'

/**
 * Turns the part of a TF.js graph that leads to `outputs` into an ONNX graph. Names stay; the picture comes in as
 * `[1, 3, height, width]` and maps go out with channels first, so that the runtime need not turn them at every frame.
 * The size may be another than the original's: a convolutional graph runs at any multiple of its coarsest stride.
 */
export const convertGraph = (model: GraphModel, { inputName, height, width, outputs }: ConvertOptions): OnnxGraph => {
  const emitted = new Map<string, Emitted>()
  const constants = new Map<string, OnnxConstant>()
  const nodes: OnnxNode[] = []
  const growth = [height / model.inputSize[0], width / model.inputSize[1]] as const
  const picture: Emitted = { name: inputName, shape: [1, 3, height, width] }

  const constant: Emitter['constant'] = (name, shape, data) => {
    if (!constants.has(name)) constants.set(name, { name, shape, data })
    return name
  }
  const weights = (name: string): GraphWeights => {
    const found = model.weights.get(name)
    if (!found) throw new Error(`Node "${name}" is not a constant, which the converter needs it to be.`)
    return found
  }
  const emit = (node: GraphNode): Emitted => {
    if (node.operator === 'Placeholder') return picture
    if (node.operator === 'Const') return emitConstant(node.name, weights(node.name), constant)
    const operator = operators[node.operator]
    if (operator) return operator(node, { growth, value, weights, constant, node: push })
    throw new Error(
      `Operator ${node.operator} at node "${node.name}" cannot be converted; known are ${Object.keys(operators).join(', ')}. Choose outputs that lie before it.`,
    )
  }
  const value = (name: string): Emitted => {
    const known = emitted.get(name)
    if (known) return known
    const node = model.nodes.get(name)
    if (!node) throw new Error(`The graph has no node "${name}"; correct derivedFrom.outputs in the manifest.`)
    const result = emit(node)
    emitted.set(name, result)
    return result
  }
  const push: Emitter['node'] = (operator, inputs, output, attributes) => {
    nodes.push({ operator, inputs, output: output.name, ...(attributes ? { attributes } : {}) })
    return output
  }

  // An output that is an Identity in the graph has no node of its own: it gets one, and keeps its name.
  const results = outputs.map(name => {
    const result = value(name)
    return result.name === name ? result : push('Identity', [result.name], { name, shape: result.shape })
  })
  return { name: 'tfjs-graph', inputs: [picture], outputs: results, constants: [...constants.values()], nodes }
}

export interface ConvertOptions {
  readonly inputName: string
  readonly height: number
  readonly width: number
  readonly outputs: readonly string[]
}

const emitConstant = (name: string, { shape, data }: GraphWeights, constant: Emitter['constant']): Emitted => {
  const values = Float32Array.from(data)
  if (shape.length === 0) return { name: constant(name, [], values), shape: [] }
  // A vector goes along the channels, which are last in TF.js and second in ONNX.
  if (shape.length === 1) {
    const broadcast = [1, shape[0]!, 1, 1]
    return { name: constant(name, broadcast, values), shape: broadcast }
  }
  throw new Error(
    `Constant "${name}" with ${shape.length} dimensions is used where only numbers and vectors are known.`,
  )
}
