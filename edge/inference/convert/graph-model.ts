import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

export interface GraphNode {
  readonly name: string
  readonly operator: string
  /** Names of nodes, without output numbers and control inputs. */
  readonly inputs: readonly string[]
  readonly attributes: Readonly<Record<string, GraphAttribute>>
}

export type GraphAttribute = boolean | number | string | readonly (number | string)[]

export interface GraphWeights {
  readonly shape: readonly number[]
  readonly data: Float32Array | Int32Array
}

/** A TF.js graph model: `model.json` and its shards, weights as 32-bit numbers. */
export interface GraphModel {
  readonly nodes: ReadonlyMap<string, GraphNode>
  readonly weights: ReadonlyMap<string, GraphWeights>
  /** Height and width that the sizes written into the graph are meant for. */
  readonly inputSize: readonly [height: number, width: number]
}

/** The graph file and its shards, in the order in which their hash is taken. */
export const graphFiles = async (path: string): Promise<readonly string[]> => {
  const { weightsManifest = [] } = JSON.parse(await readFile(path, 'utf8')) as GraphFile
  return [path, ...weightsManifest.flatMap(({ paths }) => paths.map(shard => join(dirname(path), shard)))]
}

export const readGraphModel = async (path: string): Promise<GraphModel> => {
  const file = JSON.parse(await readFile(path, 'utf8')) as GraphFile
  if (!file.modelTopology?.node || !file.weightsManifest)
    throw new Error(`${path} is not a TF.js graph model: it has no modelTopology or no weightsManifest.`)
  const weights = new Map<string, GraphWeights>()
  for (const group of file.weightsManifest) {
    const bytes = Buffer.concat(await Promise.all(group.paths.map(shard => readFile(join(dirname(path), shard)))))
    readGroup(group.weights, bytes, weights, path)
  }
  const nodes = new Map(file.modelTopology.node.map(node => [node.name, parseNode(node)]))
  return { nodes, weights, inputSize: inputSizeOf(file.modelTopology.node, path) }
}

const inputSizeOf = (nodes: readonly RawNode[], path: string): readonly [number, number] => {
  const dimensions = nodes.find(({ op }) => op === 'Placeholder')?.attr?.shape?.shape?.dim ?? []
  const [, height = 0, width = 0] = dimensions.map(({ size }) => Number(size))
  if (height > 0 && width > 0) return [height, width]
  throw new Error(`${path} does not say for which input size it is made; a graph of fixed size is needed.`)
}

interface GraphFile {
  readonly modelTopology?: { readonly node?: readonly RawNode[] }
  readonly weightsManifest?: readonly { readonly paths: readonly string[]; readonly weights: readonly RawWeights[] }[]
}

interface RawNode {
  readonly name: string
  readonly op: string
  readonly input?: readonly string[]
  readonly attr?: Readonly<Record<string, RawAttribute>>
}

interface RawWeights {
  readonly name: string
  readonly shape: readonly number[]
  readonly dtype: string
  readonly quantization?: { readonly dtype: string; readonly scale?: number; readonly min?: number }
}

interface RawAttribute {
  readonly b?: boolean
  readonly i?: string | number
  readonly f?: number
  readonly s?: string
  readonly type?: string | number
  readonly shape?: { readonly dim?: readonly { readonly size: string | number }[] }
  readonly list?: { readonly i?: readonly (string | number)[]; readonly s?: readonly string[] }
}

const parseNode = ({ name, op, input = [], attr = {} }: RawNode): GraphNode => ({
  name,
  operator: op,
  inputs: input.filter(from => !from.startsWith('^')).map(from => from.replace(/:\d+$/, '')),
  attributes: Object.fromEntries(
    Object.entries(attr).flatMap(([key, value]) => {
      const parsed = parseAttribute(value)
      return parsed === undefined ? [] : [[key, parsed]]
    }),
  ),
})

const parseAttribute = ({ b, i, f, s, type, list }: RawAttribute): GraphAttribute | undefined => {
  if (list) return list.i ? list.i.map(Number) : (list.s ?? []).map(fromBase64)
  if (s !== undefined) return fromBase64(s)
  return b ?? f ?? type ?? (i === undefined ? undefined : Number(i))
}

const fromBase64 = (value: string): string => Buffer.from(value, 'base64').toString('utf8')

const elementBytes: Readonly<Record<string, number>> = {
  float32: 4,
  int32: 4,
  float16: 2,
  uint16: 2,
  uint8: 1,
  bool: 1,
}

const readGroup = (
  group: readonly RawWeights[],
  bytes: Buffer,
  weights: Map<string, GraphWeights>,
  path: string,
): void => {
  let offset = 0
  for (const { name, shape, dtype, quantization } of group) {
    const stored = quantization?.dtype ?? dtype
    const size = elementBytes[stored]
    if (size === undefined) throw new Error(`${path}: weights "${name}" are stored as ${stored}, which is not known.`)
    const count = shape.reduce((product, length) => product * length, 1)
    if (offset + count * size > bytes.length) throw new Error(`${path}: the weights end early, at "${name}".`)
    const view = new DataView(bytes.buffer, bytes.byteOffset + offset, count * size)
    const read = readers[stored]!
    const { scale = 1, min = 0 } = quantization ?? {}
    const data = dtype === 'float32' ? new Float32Array(count) : new Int32Array(count)
    for (let i = 0; i < count; i++) data[i] = read(view, i) * scale + min
    weights.set(name, { shape, data })
    offset += count * size
  }
}

const readers: Readonly<Record<string, (view: DataView, i: number) => number>> = {
  float32: (view, i) => view.getFloat32(i * 4, true),
  int32: (view, i) => view.getInt32(i * 4, true),
  float16: (view, i) => halfToNumber(view.getUint16(i * 2, true)),
  uint16: (view, i) => view.getUint16(i * 2, true),
  uint8: (view, i) => view.getUint8(i),
  bool: (view, i) => view.getUint8(i),
}

/** IEEE 754 binary16. */
const halfToNumber = (half: number): number => {
  const sign = half & 0x8000 ? -1 : 1
  const exponent = (half >> 10) & 0x1f
  const fraction = half & 0x3ff
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}
