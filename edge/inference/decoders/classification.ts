import { type Static, Type } from '@sinclair/typebox'
import { clamp01, sigmoid } from './activation.js'
import type { Decoder } from './decoder.js'
import { missingOutput, outputNamed, showShape } from './layout.js'

const Options = Type.Object(
  {
    output: Type.Optional(Type.String({ description: 'Default: the first output.' })),
    activation: Type.Union(
      ['none', 'sigmoid', 'softmax'].map(name => Type.Literal(name)),
      { default: 'softmax', description: 'What is still to be applied to the output.' },
    ),
  },
  { additionalProperties: false },
)
type Options = Static<typeof Options>

/** A score per label for the whole picture. */
export const classification: Decoder = {
  gives: 'classes',
  options: Options,
  problems(manifest, given) {
    const { output: name, activation } = given as Options
    const output = outputNamed(manifest, name)
    if (!output) return [missingOutput('output', name ?? '', manifest)]
    if (activation === 'softmax' && manifest.labels.length === 1)
      return [
        'Of a single label softmax is 1 for every picture; set decoder.activation (pack: --activation) to sigmoid, or to none where the graph ends in one.',
      ]
    const values = output.shape.reduce((product, length) => product * length, 1)
    if (values === manifest.labels.length) return []
    return [
      `Output "${output.name}" has the shape ${showShape(output.shape)}; classification needs one value for each of the ${manifest.labels.length} labels.`,
    ]
  },
  create(manifest, given) {
    const options = given as Options
    const { name } = outputNamed(manifest, options.output)!
    return outputs => {
      const scores = activated(Array.from(outputs[name]!.data), options.activation as string)
      return { kind: 'classes', scores: Object.fromEntries(manifest.labels.map((label, i) => [label, scores[i]!])) }
    }
  },
}

const activated = (values: readonly number[], activation: string): readonly number[] => {
  if (activation !== 'softmax') return values.map(activation === 'sigmoid' ? sigmoid : clamp01)
  const highest = Math.max(...values)
  const powers = values.map(value => Math.exp(value - highest))
  const sum = powers.reduce((total, power) => total + power, 0)
  return powers.map(power => power / sum)
}
