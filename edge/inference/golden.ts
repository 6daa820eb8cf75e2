import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Static, Type } from '@sinclair/typebox'
import { validateConfig } from '@watchpost/shared/config/validate-config'
import { Box, Fraction } from '@watchpost/shared/contracts/primitives'
import { overlapOfBoxes } from './decoders/boxes.js'
import type { Decoded, Detection } from './inference-result.js'
import type { ModelPackage } from './model-package.js'
import type { AnswerPicture, Picture } from './open-model.js'
import type { Tensor, Tensors } from './tensor.js'

/** `golden/NAME.json`: what the model must say about `golden/NAME.png`, as tensors, as detections or both. */
const Expected = Type.Object(
  {
    outputs: Type.Record(
      Type.String(),
      Type.Object(
        {
          shape: Type.Array(Type.Integer({ minimum: 1 })),
          values: Type.Array(Type.Number()),
          stride: Type.Optional(Type.Integer({ minimum: 1, description: 'Of rows and columns; default 1: all.' })),
        },
        { additionalProperties: false },
      ),
      { default: {} },
    ),
    detections: Type.Optional(
      Type.Array(
        Type.Object({ label: Type.String(), confidence: Fraction, box: Box }, { additionalProperties: false }),
      ),
    ),
  },
  { additionalProperties: false },
)
type Expected = Static<typeof Expected>

/** Runs one golden sample; the sentences say where the model answers otherwise than its package claims. */
export const checkGolden = async (
  { dir, manifest }: ModelPackage,
  sample: ModelPackage['manifest']['golden'][number],
  { answer, readPicture }: GoldenMeans,
): Promise<readonly string[]> => {
  const parsed = parse(await readFile(join(dir, sample.expected), 'utf8'))
  if (parsed === undefined)
    return [`${sample.expected} is not JSON; copy the package again, or make the sample anew with "${again}".`]
  const { value: expected, errors } = validateConfig(Expected, parsed)
  if (errors.length > 0) return errors.map(({ path, message }) => `${sample.expected}: ${path} ${message}.`)
  if (Object.keys(expected.outputs).length === 0 && !expected.detections)
    return [`${sample.expected} expects nothing of the model; make the sample anew with "${again}".`]
  const picture = await readPicture(join(dir, sample.image))
  const { outputs, decoded } = await answer({ cameraId: 'golden', number: 1, takenAt: 0, ...picture })
  return [
    ...outputProblems(expected, outputs, manifest.tolerance),
    ...detectionProblems(expected, decoded, manifest),
  ].map(problem => `${sample.image}: ${problem}`)
}

const again = 'npm run model -- golden'

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

export interface GoldenMeans {
  readonly answer: AnswerPicture
  readonly readPicture: (path: string) => Promise<Picture>
}

const outputProblems = ({ outputs }: Expected, actual: Tensors, tolerance: number): readonly string[] =>
  Object.entries(outputs).flatMap(([name, expected]) => {
    const tensor = actual[name]
    if (!tensor) return [`the model gives no output "${name}".`]
    if (tensor.shape.join() !== expected.shape.join())
      return [`output "${name}" has the shape ${tensor.shape.join('×')} instead of ${expected.shape.join('×')}.`]
    const values = sampled(tensor, expected.stride ?? 1)
    if (values.length !== expected.values.length)
      return [`the sample of "${name}" has ${expected.values.length} values where ${values.length} belong.`]
    const apart = values.reduce((most, value, i) => Math.max(most, Math.abs(value - expected.values[i]!)), 0)
    return apart <= tolerance
      ? []
      : [`output "${name}" differs by up to ${apart.toFixed(4)}, tolerated are ${tolerance}.`]
  })

/** Every `stride`-th row and column of the last two dimensions. */
const sampled = ({ shape, data }: Tensor, stride: number): readonly number[] => {
  if (stride === 1) return Array.from(data)
  const [rows, columns] = [shape.at(-2) ?? 1, shape.at(-1) ?? 1]
  const values: number[] = []
  for (let plane = 0; plane < data.length; plane += rows * columns)
    for (let row = 0; row < rows; row += stride)
      for (let column = 0; column < columns; column += stride) values.push(data[plane + row * columns + column]!)
  return values
}

/** Overlap at which a box counts as the expected one: runtimes round differently at the last bit. */
const sameBoxIou = 0.8

const detectionProblems = (
  { detections }: Expected,
  decoded: Decoded,
  { tolerance, thresholds }: ModelPackage['manifest'],
): readonly string[] => {
  if (!detections) return []
  if (decoded.kind !== 'detections') return ['detections are expected of a decoder that gives none.']
  const isSame = (a: Detection, b: Detection): boolean =>
    a.label === b.label &&
    Math.abs(a.confidence - b.confidence) <= tolerance &&
    overlapOfBoxes(a.box, b.box) >= sameBoxIou
  // What lies within the tolerance of its threshold may be reported by one runtime and not by another.
  const isSure = ({ label, confidence }: Detection): boolean =>
    confidence > (thresholds[label] ?? thresholds.default ?? 0) + tolerance
  const lacking = (those: readonly Detection[], among: readonly Detection[]): readonly Detection[] =>
    those.filter(one => isSure(one) && !among.some(other => isSame(one, other)))
  const missing = lacking(detections, decoded.detections)
  const surplus = lacking(decoded.detections, detections)
  return [
    ...missing.map(one => `expected ${describe(one)} is not found.`),
    ...surplus.map(one => `found ${describe(one)} is not expected.`),
  ]
}

const describe = ({ label, confidence, box }: Detection): string =>
  `${label} (${confidence.toFixed(2)} at ${box.map(value => value.toFixed(3)).join(', ')})`
