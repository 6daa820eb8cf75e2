/** Enough of protobuf's wire format to write one message: fields are given in the order in which they are written. */
export type Field = readonly [number: number, value: Value | readonly Value[] | undefined]
export type Value =
  | { readonly kind: 'int'; readonly value: number }
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'bytes'; readonly chunks: readonly Uint8Array[] }

export const int = (value: number): Value => ({ kind: 'int', value })
export const float = (value: number): Value => ({ kind: 'float', value })
export const text = (value: string): Value => ({ kind: 'bytes', chunks: [Buffer.from(value, 'utf8')] })
export const raw = (bytes: Uint8Array): Value => ({ kind: 'bytes', chunks: [bytes] })
/** A message inside a message. Weights are not copied until the file is written. */
export const message = (fields: readonly Field[]): Value => ({ kind: 'bytes', chunks: encode(fields) })

export const encode = (fields: readonly Field[]): readonly Uint8Array[] =>
  fields.flatMap(([number, value]) => {
    if (value === undefined) return []
    return (Array.isArray(value) ? value : [value]).flatMap(one => encodeOne(number, one))
  })

const wireType = { int: 0, float: 5, bytes: 2 } as const

const encodeOne = (number: number, value: Value): readonly Uint8Array[] => {
  const key = varint((number << 3) | wireType[value.kind])
  if (value.kind === 'int') return [key, varint(value.value)]
  if (value.kind === 'float') return [key, new Uint8Array(Float32Array.of(value.value).buffer)]
  const length = value.chunks.reduce((total, chunk) => total + chunk.length, 0)
  return [key, varint(length), ...value.chunks]
}

/** Negative numbers take ten bytes, as int64 does. */
const varint = (value: number): Uint8Array => {
  const bytes: number[] = []
  let rest = BigInt.asUintN(64, BigInt(value))
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128)
  bytes.push(Number(rest))
  return Uint8Array.from(bytes)
}
