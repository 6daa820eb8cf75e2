import { type Static, Type } from '@sinclair/typebox'
import { Activation, activate } from './activation.js'
import { copyContent } from './content.js'
import type { Decoder } from './decoder.js'
import { layoutOf, missingOutput, outputNamed, showShape } from './layout.js'

const Options = Type.Object(
  { output: Type.Optional(Type.String({ description: 'Default: the first output.' })), activation: Activation },
  { additionalProperties: false },
)
type Options = Static<typeof Options>

/** A score per label and cell: for smoke and flame, which have no edge to put a box at. */
export const grid: Decoder = {
  gives: 'grid',
  options: Options,
  problems(manifest, given) {
    const { output: name } = given as Options
    const output = outputNamed(manifest, name)
    if (!output) return [missingOutput('output', name ?? '', manifest)]
    if (layoutOf(output.shape, manifest.labels.length)) return []
    return [
      `Output "${output.name}" has the shape ${showShape(output.shape)}; grid needs one channel for each of the ${manifest.labels.length} labels.`,
    ]
  },
  create(manifest, given) {
    const options = given as Options
    const output = outputNamed(manifest, options.output)!
    const layout = layoutOf(output.shape, manifest.labels.length)!
    const activation = activate(options.activation)
    return (outputs, geometry) => {
      const { data } = outputs[output.name]!
      const channels = manifest.labels.map((_, channel) => channel)
      return { kind: 'grid', labels: manifest.labels, ...copyContent(data, layout, channels, geometry, activation) }
    }
  },
}
