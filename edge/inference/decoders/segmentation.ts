import { type Static, Type } from '@sinclair/typebox'
import type { ModelManifest } from '@watchpost/shared/manifest/model-manifest'
import { Activation, activate } from './activation.js'
import { copyContent } from './content.js'
import type { Decoder } from './decoder.js'
import { layoutOf, missingOutput, outputNamed, showShape } from './layout.js'

const Options = Type.Object(
  {
    output: Type.Optional(Type.String({ description: 'Default: the first output.' })),
    activation: Activation,
    label: Type.Optional(Type.String({ description: 'Label whose mask is reported; default: the first.' })),
  },
  { additionalProperties: false },
)
type Options = Static<typeof Options>

const labelOf = (manifest: ModelManifest, { label }: Options): string => label ?? manifest.labels[0]!

/** A score per pixel of a mask, for one label. */
export const segmentation: Decoder = {
  gives: 'mask',
  options: Options,
  problems(manifest, given) {
    const options = given as Options
    const output = outputNamed(manifest, options.output)
    if (!output) return [missingOutput('output', options.output ?? '', manifest)]
    const problems: string[] = []
    if (!layoutOf(output.shape, manifest.labels.length))
      problems.push(
        `Output "${output.name}" has the shape ${showShape(output.shape)}; segmentation needs one channel for each of the ${manifest.labels.length} labels.`,
      )
    if (!manifest.labels.includes(labelOf(manifest, options)))
      problems.push(`decoder.label names "${options.label}", which is not among the labels; correct or remove it.`)
    return problems
  },
  create(manifest, given) {
    const options = given as Options
    const output = outputNamed(manifest, options.output)!
    const layout = layoutOf(output.shape, manifest.labels.length)!
    const label = labelOf(manifest, options)
    const channels = [manifest.labels.indexOf(label)]
    const activation = activate(options.activation)
    return (outputs, geometry) => {
      const { rows, columns, scores } = copyContent(outputs[output.name]!.data, layout, channels, geometry, activation)
      return { kind: 'mask', label, width: columns, height: rows, scores }
    }
  },
}
