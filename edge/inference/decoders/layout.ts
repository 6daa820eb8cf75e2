import type { ModelManifest } from '@watchpost/shared/manifest/model-manifest'

/** Steps between neighbours of a map with channels, whichever way round it is stored. */
export interface MapLayout {
  readonly channels: number
  readonly rows: number
  readonly columns: number
  readonly channelStep: number
  readonly rowStep: number
  readonly columnStep: number
}

/** `[1, channels, rows, columns]` or `[1, rows, columns, channels]`; undefined when the shape is neither. */
export const layoutOf = (shape: readonly number[], channels: number): MapLayout | undefined =>
  layoutsOf(shape, channels)[0]

/** Both readings of a shape that allows both. */
export const layoutsOf = (shape: readonly number[], channels: number): readonly MapLayout[] => {
  const [one, a, b, c] = shape
  if (shape.length !== 4 || one !== 1 || a === undefined || b === undefined || c === undefined) return []
  const first = { channels, rows: b, columns: c, channelStep: b * c, rowStep: c, columnStep: 1 }
  const last = { channels, rows: a, columns: b, channelStep: 1, rowStep: b * channels, columnStep: channels }
  return [...(a === channels ? [first] : []), ...(c === channels ? [last] : [])]
}

export type DeclaredOutput = ModelManifest['outputs'][number]

/** The output that an option names, or the first one. */
export const outputNamed = (manifest: ModelManifest, name: string | undefined): DeclaredOutput | undefined =>
  name === undefined ? manifest.outputs[0] : manifest.outputs.find(output => output.name === name)

export const missingOutput = (option: string, name: string, manifest: ModelManifest): string =>
  `decoder.${option} names the output "${name}", which is not declared; declared are ${manifest.outputs.map(output => `"${output.name}"`).join(', ')}.`

export const showShape = (shape: readonly number[]): string => shape.join('×')
