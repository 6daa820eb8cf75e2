import { type Static, Type } from '@sinclair/typebox'
import { type Candidate, detectorOptions, type KeptClass, keptClasses, labelProblems, resolve } from './boxes.js'
import type { Decoder } from './decoder.js'
import { type DeclaredOutput, layoutsOf, type MapLayout, missingOutput, outputNamed, showShape } from './layout.js'

const Options = Type.Object(
  {
    heatmap: Type.Optional(Type.String({ description: 'Output with a score per class and cell; default: the first.' })),
    size: Type.Optional(
      Type.String({
        description: 'Output with the distances to left, top, right, bottom in input pixels; default: the second.',
      }),
    ),
    ...detectorOptions,
  },
  { additionalProperties: false },
)
type Options = Static<typeof Options>

/** Objects as points: a local maximum of the class's heat map is the centre of an object (CenterNet, TTFNet heads). */
export const centernet: Decoder = {
  gives: 'detections',
  options: Options,
  problems(manifest, given) {
    const options = given as Options
    const problems = [...labelProblems(manifest, options)]
    const heatmap = outputNamed(manifest, options.heatmap)
    const size = outputNamed(manifest, options.size ?? manifest.outputs[1]?.name ?? 'size')
    if (!heatmap) problems.push(missingOutput('heatmap', options.heatmap ?? '', manifest))
    if (!size) problems.push(missingOutput('size', options.size ?? 'size', manifest))
    if (heatmap && layoutsOf(heatmap.shape, manifest.labels.length).length === 0)
      problems.push(
        `Output "${heatmap.name}" has the shape ${showShape(heatmap.shape)}; centernet needs one channel for each of the ${manifest.labels.length} labels.`,
      )
    else if (heatmap && size && !cellsOf(heatmap, size, manifest.labels.length))
      problems.push(
        `Output "${size.name}" has the shape ${showShape(size.shape)}; centernet needs four channels over the cells of "${heatmap.name}", ${showShape(heatmap.shape)}.`,
      )
    return problems
  },
  create(manifest, given) {
    const options = given as Options
    const heatmap = outputNamed(manifest, options.heatmap)!
    const size = outputNamed(manifest, options.size ?? manifest.outputs[1]!.name)!
    const { heat, extent } = cellsOf(heatmap, size, manifest.labels.length)!
    const kept = keptClasses(manifest, options)
    return (outputs, geometry) => {
      const scores = outputs[heatmap.name]!.data
      const sizes = outputs[size.name]!.data
      const cellWidth = geometry.inputWidth / heat.columns
      const cellHeight = geometry.inputHeight / heat.rows
      const candidates = kept.flatMap(classOf =>
        peaks(scores, heat, classOf).map(({ row, column, confidence }): Candidate => {
          const at = row * extent.rowStep + column * extent.columnStep
          const distance = (side: number): number => sizes[at + side * extent.channelStep]!
          const [x, y] = [column * cellWidth, row * cellHeight]
          return {
            kept: classOf,
            confidence,
            left: x - distance(0),
            top: y - distance(1),
            right: x + distance(2),
            bottom: y + distance(3),
          }
        }),
      )
      return { kind: 'detections', detections: resolve(candidates, geometry, options) }
    }
  },
}

/** The reading of both shapes in which they have the same cells. */
const cellsOf = (heatmap: DeclaredOutput, size: DeclaredOutput, labels: number) =>
  layoutsOf(heatmap.shape, labels)
    .flatMap(heat => layoutsOf(size.shape, 4).map(extent => ({ heat, extent })))
    .find(({ heat, extent }) => heat.rows === extent.rows && heat.columns === extent.columns)

interface Peak {
  readonly row: number
  readonly column: number
  readonly confidence: number
}

/** Cells at or above the threshold that no cell of their 3×3 neighbourhood exceeds. */
const peaks = (scores: Float32Array, layout: MapLayout, { channel, threshold }: KeptClass): readonly Peak[] => {
  const { rows, columns, rowStep, columnStep, channelStep } = layout
  const found: Peak[] = []
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) {
      const at = channel * channelStep + row * rowStep + column * columnStep
      const confidence = scores[at]!
      if (confidence >= threshold && isPeak(scores, layout, channel, row, column))
        found.push({ row, column, confidence })
    }
  return found
}

const isPeak = (scores: Float32Array, layout: MapLayout, channel: number, row: number, column: number): boolean => {
  const { rows, columns, rowStep, columnStep, channelStep } = layout
  const first = channel * channelStep
  const own = scores[first + row * rowStep + column * columnStep]!
  for (let y = Math.max(0, row - 1); y <= Math.min(rows - 1, row + 1); y++)
    for (let x = Math.max(0, column - 1); x <= Math.min(columns - 1, column + 1); x++)
      if (scores[first + y * rowStep + x * columnStep]! > own) return false
  return true
}
