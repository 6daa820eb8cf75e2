import type { ModelManifest } from '@watchpost/shared/manifest/model-manifest'

/** The beginning of a CARD.md: what is known is filled in, what only the author knows is asked. */
export const cardOf = ({ id, version, input, outputs, labels, licence, decoder }: ModelManifest): string => {
  const outputText = outputs.map(({ name, shape }) => `\`${name}\` ${shape.join('×')}`).join(', ')
  return `# ${id}

Version ${version}. Finds: ${labels.slice(0, 12).join(', ')}${labels.length > 12 ? ` and ${labels.length - 12} more` : ''}.

- **Input** \`${input.name}\` ${input.width}×${input.height}, ${String(input.channels).toUpperCase()}, ${input.resize}, mean ${input.mean.join(', ')}, std ${input.std.join(', ')}.
- **Outputs** ${outputText}, decoder \`${decoder.name}\`.
- **Licence** ${licence}

## Intended use

Which cameras, which light, what depends on it; what it must not be used for.

## Data

What it was trained on, from where, under which licences, and what was held out.

## Figures

On which set, made by which command:

    npm run model -- eval ${id} --data DIR

## Known failures

What it takes for something else, and where it is blind.
`
}
