import type { Axis } from './axis.js'

/** Where red, green and blue go in the tensor, and what is done to them: `value = mixed * scale + offset`. */
export interface Target {
  readonly first: readonly [number, number, number]
  readonly columnStep: number
  readonly rowStep: number
  readonly scale: readonly [number, number, number]
  readonly offset: readonly [number, number, number]
}

// These loops are nearly all the cost of preparing a frame. Two and three taps, which every usual camera and input size
// needs, are written out: half the time of the general form. Integer arithmetic was tried and was slower.

/** One row of the target height, all columns of the source width. */
export const mixRows = (row: Float32Array, pixels: Uint8Array, axis: Axis, y: number): void => {
  const first = axis.start[y]! * row.length
  const at = y * axis.count
  const { weights } = axis
  if (axis.count === 2) rowOf2(row, pixels, first, weights[at]!, weights[at + 1]!)
  else if (axis.count === 3) rowOf3(row, pixels, first, weights[at]!, weights[at + 1]!, weights[at + 2]!)
  else rowOfAny(row, pixels, first, weights.subarray(at, at + axis.count))
}

const rowOf2 = (row: Float32Array, pixels: Uint8Array, first: number, a: number, b: number): void => {
  const stride = row.length
  for (let i = 0, p = first, q = first + stride; i < stride; i++, p++, q++) row[i] = pixels[p]! * a + pixels[q]! * b
}

const rowOf3 = (row: Float32Array, pixels: Uint8Array, first: number, a: number, b: number, c: number): void => {
  const stride = row.length
  for (let i = 0, p = first, q = first + stride, r = q + stride; i < stride; i++, p++, q++, r++)
    row[i] = pixels[p]! * a + pixels[q]! * b + pixels[r]! * c
}

const rowOfAny = (row: Float32Array, pixels: Uint8Array, first: number, weights: Float32Array): void => {
  const stride = row.length
  for (let i = 0, p = first; i < stride; i++, p++) row[i] = pixels[p]! * weights[0]!
  for (let k = 1; k < weights.length; k++) {
    const weight = weights[k]!
    for (let i = 0, p = first + k * stride; i < stride; i++, p++) row[i] = row[i]! + pixels[p]! * weight
  }
}

/** The mixed row at the target width, into its place in the tensor. */
export const mixColumns = (row: Float32Array, axis: Axis, target: Target, y: number, out: Float32Array): void => {
  const at = y * target.rowStep
  if (axis.count === 2) columnsOf2(row, axis, target, at, out)
  else if (axis.count === 3) columnsOf3(row, axis, target, at, out)
  else columnsOfAny(row, axis, target, at, out)
}

type Columns = (row: Float32Array, axis: Axis, target: Target, at: number, out: Float32Array) => void

const columnsOf2: Columns = (row, { start, weights }, { first, columnStep, scale, offset }, at, out) => {
  const [red, green, blue] = first
  const [scaleR, scaleG, scaleB] = scale
  const [offsetR, offsetG, offsetB] = offset
  for (let x = 0, k = 0, to = at; x < start.length; x++, k += 2, to += columnStep) {
    const i = start[x]! * 3
    const a = weights[k]!
    const b = weights[k + 1]!
    out[red + to] = (row[i]! * a + row[i + 3]! * b) * scaleR + offsetR
    out[green + to] = (row[i + 1]! * a + row[i + 4]! * b) * scaleG + offsetG
    out[blue + to] = (row[i + 2]! * a + row[i + 5]! * b) * scaleB + offsetB
  }
}

const columnsOf3: Columns = (row, { start, weights }, { first, columnStep, scale, offset }, at, out) => {
  const [red, green, blue] = first
  const [scaleR, scaleG, scaleB] = scale
  const [offsetR, offsetG, offsetB] = offset
  for (let x = 0, k = 0, to = at; x < start.length; x++, k += 3, to += columnStep) {
    const i = start[x]! * 3
    const a = weights[k]!
    const b = weights[k + 1]!
    const c = weights[k + 2]!
    out[red + to] = (row[i]! * a + row[i + 3]! * b + row[i + 6]! * c) * scaleR + offsetR
    out[green + to] = (row[i + 1]! * a + row[i + 4]! * b + row[i + 7]! * c) * scaleG + offsetG
    out[blue + to] = (row[i + 2]! * a + row[i + 5]! * b + row[i + 8]! * c) * scaleB + offsetB
  }
}

const columnsOfAny: Columns = (row, { count, start, weights }, { first, columnStep, scale, offset }, at, out) => {
  for (let x = 0, to = at; x < start.length; x++, to += columnStep) {
    let r = 0
    let g = 0
    let b = 0
    for (let k = x * count, i = start[x]! * 3; k < (x + 1) * count; k++, i += 3) {
      const weight = weights[k]!
      r += row[i]! * weight
      g += row[i + 1]! * weight
      b += row[i + 2]! * weight
    }
    out[first[0] + to] = r * scale[0] + offset[0]
    out[first[1] + to] = g * scale[1] + offset[1]
    out[first[2] + to] = b * scale[2] + offset[2]
  }
}
