import { readFile } from 'node:fs/promises'

/**
 * Names of the files in which an ONNX file keeps weights beside itself. Such weights are not covered by the file's hash, and a copy of
 * the file alone cannot be opened. Empty also for what is no ONNX file: that is for the runtime to say.
 */
export const externalDataOf = async (onnxPath: string): Promise<readonly string[]> => {
  const names = new Set<string>()
  try {
    for (const name of inMessage(await readFile(onnxPath), model)) names.add(name)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
  }
  return [...names]
}

export const externalDataProblem = (path: string, names: readonly string[]): string =>
  `${path} keeps weights in other files (${names.join(', ')}), which its hash does not cover; save it as one file: onnx.save(onnx.load("MODEL.onnx"), "ONE.onnx", save_as_external_data=False).`

/** A message of onnx.proto3: which of its fields hold messages that may lead to tensors, by number. */
interface Shape {
  readonly [field: number]: Shape
}

/** The field of a tensor whose entries say where its data lie, and of an entry its key and value. */
const externalDataField = 13
const [keyField, valueField] = [1, 2]

const tensor: Shape = {}
const sparseTensor: Shape = { 1: tensor, 2: tensor }
const attribute: { [field: number]: Shape } = { 5: tensor, 10: tensor, 22: sparseTensor, 23: sparseTensor }
const node: Shape = { 5: attribute }
const graph: Shape = { 1: node, 5: tensor, 15: sparseTensor }
// If and Loop hold graphs.
attribute[6] = graph
attribute[11] = graph
const model: Shape = { 7: graph, 25: { 7: node } }

function* inMessage(bytes: Buffer, shape: Shape): Generator<string> {
  for (const [field, value] of fieldsOf(bytes)) {
    const inner = shape[field]
    if (inner) yield* inMessage(value, inner)
    else if (shape === tensor && field === externalDataField) {
      const entry = new Map(fieldsOf(value))
      if (String(entry.get(keyField)) === 'location') yield String(entry.get(valueField))
    }
  }
}

const numberBytes: Readonly<Record<number, number>> = { 1: 8, 5: 4 }

/** The fields of a message that hold bytes; throws a RangeError where the bytes are no message. */
function* fieldsOf(bytes: Buffer): Generator<readonly [field: number, value: Buffer]> {
  let at = 0
  const varint = (): number => {
    let value = 0
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes.readUInt8(at++)
      value += (byte & 127) * scale
      if (byte < 128) return value
    }
  }
  while (at < bytes.length) {
    const key = varint()
    const [field, wireType] = [Math.floor(key / 8), key % 8]
    if (wireType === 0) varint()
    else if (wireType === 2) {
      const length = varint()
      if (at + length > bytes.length) throw new RangeError('The message ends before its field does.')
      yield [field, bytes.subarray(at, at + length)]
      at += length
    } else if (numberBytes[wireType]) at += numberBytes[wireType]
    else throw new RangeError(`There is no wire type ${wireType}.`)
  }
}
