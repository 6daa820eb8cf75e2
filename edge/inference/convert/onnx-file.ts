import { encode, float, int, message, raw, text, type Value } from './protobuf.js'

/** Field numbers and enumerations below are those of onnx.proto3, IR version 7, operator set 13. */
const irVersion = 7
const operatorSet = 13
const elementType = { float32: 1, int64: 7 } as const
const attributeType = { float: 1, int: 2, string: 3, ints: 7 } as const

export type Attribute = number | string | readonly number[]

export interface OnnxNode {
  readonly operator: string
  readonly inputs: readonly string[]
  readonly output: string
  readonly attributes?: Readonly<Record<string, Attribute>>
}

export interface OnnxConstant {
  readonly name: string
  readonly shape: readonly number[]
  readonly data: Float32Array | BigInt64Array
}

export interface OnnxValue {
  readonly name: string
  readonly shape: readonly number[]
}

export interface OnnxGraph {
  readonly name: string
  readonly inputs: readonly OnnxValue[]
  readonly outputs: readonly OnnxValue[]
  readonly constants: readonly OnnxConstant[]
  /** Each after those whose outputs it reads. */
  readonly nodes: readonly OnnxNode[]
}

/** The bytes of an ONNX file, in pieces; equal graphs give equal bytes. */
export const onnxFile = (graph: OnnxGraph): readonly Uint8Array[] =>
  encode([
    [1, int(irVersion)],
    [2, text('watchpost')],
    [7, message(graphFields(graph))],
    [8, message([[2, int(operatorSet)]])],
  ])

const graphFields = (graph: OnnxGraph) =>
  [
    [1, graph.nodes.map(nodeMessage)],
    [2, text(graph.name)],
    [5, graph.constants.map(constantMessage)],
    [11, graph.inputs.map(valueMessage)],
    [12, graph.outputs.map(valueMessage)],
  ] as const

const nodeMessage = ({ operator, inputs, output, attributes = {} }: OnnxNode): Value =>
  message([
    [1, inputs.map(text)],
    [2, text(output)],
    [3, text(output)],
    [4, text(operator)],
    [5, Object.entries(attributes).map(([name, value]) => attributeMessage(name, value))],
  ])

const attributeMessage = (name: string, value: Attribute): Value => {
  if (typeof value === 'string')
    return message([
      [1, text(name)],
      [4, text(value)],
      [20, int(attributeType.string)],
    ])
  if (typeof value !== 'number')
    return message([
      [1, text(name)],
      [8, value.map(int)],
      [20, int(attributeType.ints)],
    ])
  return Number.isInteger(value)
    ? message([
        [1, text(name)],
        [3, int(value)],
        [20, int(attributeType.int)],
      ])
    : message([
        [1, text(name)],
        [2, float(value)],
        [20, int(attributeType.float)],
      ])
}

const constantMessage = ({ name, shape, data }: OnnxConstant): Value =>
  message([
    [1, shape.map(int)],
    [2, int(data instanceof Float32Array ? elementType.float32 : elementType.int64)],
    [8, text(name)],
    [9, raw(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))],
  ])

const valueMessage = ({ name, shape }: OnnxValue): Value =>
  message([
    [1, text(name)],
    [
      2,
      message([
        [
          1,
          message([
            [1, int(elementType.float32)],
            [2, message([[1, shape.map(length => message([[1, int(length)]]))]])],
          ]),
        ],
      ]),
    ],
  ])
