import type { Emitted, Emitter } from './emitter.js'
import type { GraphNode, GraphWeights } from './graph-model.js'

type Operator = (node: GraphNode, emit: Emitter) => Emitted

/** TF.js operator → its ONNX counterpart. A model that needs another one gets one more line here. */
export const operators: Readonly<Record<string, Operator>> = {
  Identity: (node, emit) => emit.value(node.inputs[0]!),
  Conv2D: (node, emit) => convolution(node, emit, dense),
  _FusedConv2D: (node, emit) => convolution(node, emit, dense),
  DepthwiseConv2dNative: (node, emit) => convolution(node, emit, depthwise),
  FusedDepthwiseConv2dNative: (node, emit) => convolution(node, emit, depthwise),
  Add: (node, emit) => elementwise('Add', node, emit),
  AddV2: (node, emit) => elementwise('Add', node, emit),
  BiasAdd: (node, emit) => elementwise('Add', node, emit),
  Sub: (node, emit) => elementwise('Sub', node, emit),
  Mul: (node, emit) => elementwise('Mul', node, emit),
  Relu: (node, emit) => activation('Relu', node.name, emit.value(node.inputs[0]!), emit),
  Relu6: (node, emit) => activation('Relu6', node.name, emit.value(node.inputs[0]!), emit),
  Sigmoid: (node, emit) => activation('Sigmoid', node.name, emit.value(node.inputs[0]!), emit),
  Mean: (node, emit) => globalMean(node, emit),
  ConcatV2: (node, emit) => concatenation(node, emit),
  ResizeBilinear: (node, emit) => resize(node, emit),
  MaxPool: (node, emit) => maxPool(node, emit),
}

interface Kernel {
  /** `[outputs, inputs / group, height, width]`. */
  readonly shape: readonly [number, number, number, number]
  readonly data: Float32Array
  readonly group: number
}

/** `[height, width, inputs, outputs]` → `[outputs, inputs, height, width]`. */
const dense = ({ shape, data }: GraphWeights): Kernel => {
  const [height, width, inputs, outputs] = shape as [number, number, number, number]
  return {
    shape: [outputs, inputs, height, width],
    data: turn(data, [height * width, inputs, outputs], true),
    group: 1,
  }
}

/** `[height, width, inputs, multiplier]` → `[inputs * multiplier, 1, height, width]`. */
const depthwise = ({ shape, data }: GraphWeights): Kernel => {
  const [height, width, inputs, multiplier] = shape as [number, number, number, number]
  return {
    shape: [inputs * multiplier, 1, height, width],
    data: turn(data, [height * width, inputs, multiplier], false),
    group: inputs,
  }
}

/** Moves the positions behind the channels; `outputsFirst` also swaps inputs and outputs. */
const turn = (
  data: GraphWeights['data'],
  [positions, inputs, outputs]: readonly [number, number, number],
  outputsFirst: boolean,
): Float32Array => {
  const turned = new Float32Array(data.length)
  let from = 0
  for (let p = 0; p < positions; p++)
    for (let i = 0; i < inputs; i++)
      for (let o = 0; o < outputs; o++)
        turned[(outputsFirst ? o * inputs + i : i * outputs + o) * positions + p] = data[from++]!
  return turned
}

const convolution = (node: GraphNode, emit: Emitter, kernelOf: (weights: GraphWeights) => Kernel): Emitted => {
  const [input, filter, bias] = node.inputs
  const source = emit.value(input!)
  const { shape, data, group } = kernelOf(emit.weights(filter!))
  const [outputs, , height, width] = shape
  const window = windowOf(node, source, [height, width], numbers(node, 'dilations', [1, 1, 1, 1]))
  const fused = (node.attributes.fused_ops ?? []) as readonly string[]
  const inputs = [source.name, emit.constant(filter!, shape, data)]
  if (fused.includes('BiasAdd')) {
    const { data: values } = emit.weights(bias!)
    inputs.push(emit.constant(bias!, [values.length], Float32Array.from(values)))
  }
  const activations = fused.filter(name => name !== 'BiasAdd')
  const output = {
    name: activations.length > 0 ? `${node.name}/linear` : node.name,
    shape: [1, outputs, ...window.size],
  }
  const convolved = emit.node('Conv', inputs, output, { ...window.attributes, group, kernel_shape: [height, width] })
  return activations.reduce((value, name) => activation(name, node.name, value, emit), convolved)
}

/** Output size and padding as TensorFlow computes them for SAME and VALID. */
const windowOf = (
  node: GraphNode,
  { shape }: Emitted,
  kernel: readonly [number, number],
  dilations: readonly number[],
) => {
  const strides = numbers(node, 'strides', [1, 1, 1, 1])
  const padding = node.attributes.padding
  if (padding !== 'SAME' && padding !== 'VALID')
    throw new Error(`Node "${node.name}" has the padding ${String(padding)}; known are SAME and VALID.`)
  const axes = [0, 1].map(axis => {
    const [length, stride, dilation] = [shape[2 + axis]!, strides[1 + axis]!, dilations[1 + axis]!]
    const reach = (kernel[axis]! - 1) * dilation + 1
    const size = Math.ceil(padding === 'SAME' ? length / stride : (length - reach + 1) / stride)
    const missing = padding === 'SAME' ? Math.max(0, (size - 1) * stride + reach - length) : 0
    return { size, stride, dilation, before: Math.floor(missing / 2), after: Math.ceil(missing / 2) }
  })
  return {
    size: axes.map(({ size }) => size),
    attributes: {
      strides: axes.map(({ stride }) => stride),
      dilations: axes.map(({ dilation }) => dilation),
      pads: [...axes.map(({ before }) => before), ...axes.map(({ after }) => after)],
    },
  }
}

const elementwise = (operator: string, node: GraphNode, emit: Emitter): Emitted => {
  const [a, b] = node.inputs.map(emit.value) as [Emitted, Emitted]
  const shape = a.shape.length === 0 ? b.shape : a.shape.map((length, axis) => Math.max(length, b.shape[axis] ?? 1))
  return emit.node(operator, [a.name, b.name], { name: node.name, shape })
}

const activation = (operator: string, name: string, source: Emitted, emit: Emitter): Emitted => {
  const output = { name, shape: source.shape }
  if (operator === 'Relu' || operator === 'Sigmoid') return emit.node(operator, [source.name], output)
  if (operator !== 'Relu6') throw new Error(`Activation ${operator} fused into "${name}" is not known.`)
  const limits = [0, 6].map(limit => emit.constant(`limit/${limit}`, [], Float32Array.of(limit)))
  return emit.node('Clip', [source.name, ...limits], output)
}

const globalMean = (node: GraphNode, emit: Emitter): Emitted => {
  const source = emit.value(node.inputs[0]!)
  const axes = Array.from(emit.weights(node.inputs[1]!).data)
  if (axes.join() !== '1,2' || node.attributes.keep_dims !== true)
    throw new Error(`Node "${node.name}" averages over the axes ${axes.join()}; only whole maps (1,2, kept) are known.`)
  return emit.node('GlobalAveragePool', [source.name], { name: node.name, shape: [1, source.shape[1]!, 1, 1] })
}

const concatenation = (node: GraphNode, emit: Emitter): Emitted => {
  const parts = node.inputs.slice(0, -1).map(emit.value)
  const axis = emit.weights(node.inputs.at(-1)!).data[0]
  if (axis !== 3 && axis !== -1)
    throw new Error(`Node "${node.name}" joins along axis ${axis}; only channels (3) are known.`)
  const channels = parts.reduce((total, { shape }) => total + shape[1]!, 0)
  const [, , height, width] = parts[0]!.shape
  const output = { name: node.name, shape: [1, channels, height!, width!] }
  return emit.node(
    'Concat',
    parts.map(({ name }) => name),
    output,
    { axis: 1 },
  )
}

const resize = (node: GraphNode, emit: Emitter): Emitted => {
  const source = emit.value(node.inputs[0]!)
  const [height, width] = Array.from(emit.weights(node.inputs[1]!).data, (length, axis) => length * emit.growth[axis]!)
  const shape = [1, source.shape[1]!, height!, width!]
  const region = emit.constant('resize/no-region', [0], new Float32Array(0))
  const scales = [1, 1, height! / source.shape[2]!, width! / source.shape[3]!]
  const scale = emit.constant(`resize/${scales.slice(2).join('x')}`, [4], Float32Array.from(scales))
  return emit.node(
    'Resize',
    [source.name, region, scale],
    { name: node.name, shape },
    {
      mode: 'linear',
      coordinate_transformation_mode: coordinates(node),
    },
  )
}

const coordinates = ({ attributes }: GraphNode): string => {
  if (attributes.align_corners === true) return 'align_corners'
  return attributes.half_pixel_centers === true ? 'half_pixel' : 'asymmetric'
}

const maxPool = (node: GraphNode, emit: Emitter): Emitted => {
  const source = emit.value(node.inputs[0]!)
  const [, height, width] = numbers(node, 'ksize', [1, 1, 1, 1])
  const { size, attributes } = windowOf(node, source, [height!, width!], [1, 1, 1, 1])
  const { dilations: _, ...window } = attributes
  const output = { name: node.name, shape: [1, source.shape[1]!, ...size] }
  return emit.node('MaxPool', [source.name], output, { ...window, kernel_shape: [height!, width!] })
}

const numbers = (node: GraphNode, name: string, fallback: readonly number[]): readonly number[] =>
  (node.attributes[name] as readonly number[] | undefined) ?? fallback
