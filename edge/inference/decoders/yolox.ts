import { type Static, Type } from '@sinclair/typebox'
import { heightsOf } from '../preprocess/preprocess.js'
import { type Candidate, detectorOptions, keptClasses, labelProblems, resolve } from './boxes.js'
import type { Decoder } from './decoder.js'
import { missingOutput, outputNamed, showShape } from './layout.js'

const Options = Type.Object(
  {
    output: Type.Optional(Type.String({ description: 'Default: the first output.' })),
    strides: Type.Array(Type.Integer({ minimum: 1 }), {
      minItems: 1,
      default: [8, 16, 32],
      description: 'Cell sizes of the levels, in the order of the rows.',
    }),
    ...detectorOptions,
  },
  { additionalProperties: false },
)
type Options = Static<typeof Options>

/** Numbers before the class scores: centre x and y, width, height, objectness. */
const head = 5

/**
 * YOLOX's raw head: per cell `x, y, log width, log height, objectness, class scores`, scores already sigmoid;
 * centre = (value + cell) × stride, size = exp(value) × stride.
 */
export const yolox: Decoder = {
  gives: 'detections',
  readsTallerHeights: true,
  options: Options,
  problems(manifest, given) {
    const options = given as Options
    const output = outputNamed(manifest, options.output)
    if (!output) return [missingOutput('output', options.output ?? '', manifest)]
    const problems = [...labelProblems(manifest, options)]
    const expected = [
      1,
      cellsOf(manifest.input.width, manifest.input.height, options).length,
      head + manifest.labels.length,
    ]
    if (showShape(output.shape) !== showShape(expected))
      problems.push(
        `Output "${output.name}" has the shape ${showShape(output.shape)}; yolox with this input size, these strides and ${manifest.labels.length} labels needs ${showShape(expected)}.`,
      )
    const coarsest = Math.max(...options.strides)
    for (const height of manifest.input.tallerHeights ?? [])
      if (height % coarsest !== 0)
        problems.push(
          `input.tallerHeights has ${height}, which is no multiple of the coarsest stride ${coarsest}; take ${Math.ceil(height / coarsest) * coarsest} or leave it out.`,
        )
    return problems
  },
  create(manifest, given) {
    const options = given as Options
    const { name } = outputNamed(manifest, options.output)!
    const { input } = manifest
    const cellsAt = new Map(heightsOf(input).map(height => [height, cellsOf(input.width, height, options)]))
    const kept = keptClasses(manifest, options)
    const width = head + manifest.labels.length
    const least = Math.min(...kept.map(({ threshold }) => threshold))
    return (outputs, geometry) => {
      const { data } = outputs[name]!
      const cells = cellsAt.get(geometry.inputHeight)!
      const candidates: Candidate[] = []
      for (let row = 0; row < cells.length; row++) {
        const at = row * width
        const objectness = data[at + 4]!
        // Class scores are at most 1, so most rows end here.
        if (objectness < least) continue
        for (const classOf of kept) {
          const confidence = objectness * data[at + head + classOf.channel]!
          if (confidence >= classOf.threshold)
            candidates.push({ kept: classOf, confidence, ...edges(data, at, cells[row]!) })
        }
      }
      return { kind: 'detections', detections: resolve(candidates, geometry, options) }
    }
  },
}

interface Cell {
  readonly column: number
  readonly row: number
  readonly stride: number
}

const cellsOf = (width: number, height: number, { strides }: Options): readonly Cell[] =>
  strides.flatMap(stride => {
    const columns = Math.floor(width / stride)
    const rows = Math.floor(height / stride)
    return Array.from({ length: rows * columns }, (_, i) => ({
      column: i % columns,
      row: Math.floor(i / columns),
      stride,
    }))
  })

const edges = (data: Float32Array, at: number, { column, row, stride }: Cell) => {
  const x = (data[at]! + column) * stride
  const y = (data[at + 1]! + row) * stride
  const halfWidth = (Math.exp(data[at + 2]!) * stride) / 2
  const halfHeight = (Math.exp(data[at + 3]!) * stride) / 2
  return { left: x - halfWidth, top: y - halfHeight, right: x + halfWidth, bottom: y + halfHeight }
}
