import { validateConfig } from '@watchpost/shared/config/validate-config'
import type { ModelManifest } from '@watchpost/shared/manifest/model-manifest'
import type { Decoded } from '../inference-result.js'
import { heightsOf } from '../preprocess/preprocess.js'
import type { Decode, Decoder } from './decoder.js'
import { decoders } from './decoders.js'

/** Everything wrong with `manifest.decoder`, as sentences; empty when the decoder can be made. */
export const decoderProblems = (manifest: ModelManifest): readonly string[] => {
  const name = String(manifest.decoder.name)
  if (!Object.hasOwn(decoders, name))
    return [`There is no decoder "${name}"; there are ${Object.keys(decoders).join(', ')}.`]
  const { decoder, value, errors } = read(manifest)
  if (errors.length === 0) return [...heightProblems(manifest, decoder), ...decoder.problems(manifest, value)]
  return errors.map(
    ({ path, message, given, hint }) =>
      `decoder.${path} ${message}${given === undefined ? '' : ` (given: ${given})`}.${hint === undefined ? '' : ` ${hint}`}`,
  )
}

const heightProblems = (
  { input, decoder: { name }, runtime, derivedFrom }: ModelManifest,
  { readsTallerHeights }: Decoder,
): readonly string[] => {
  if (!input.tallerHeights) return []
  const rising = heightsOf(input).every((height, i, all) => i === 0 || height > all[i - 1]!)
  return [
    ...(input.resize === 'letterbox' ? [] : ['input.tallerHeights goes with resize "letterbox" only; leave it out.']),
    ...(runtime === 'onnx' && !derivedFrom
      ? []
      : ['Only ONNX weights of the package itself run at several sizes; leave input.tallerHeights out.']),
    ...(readsTallerHeights ? [] : [`The decoder ${name} reads one size; leave input.tallerHeights out.`]),
    ...(rising ? [] : [`input.tallerHeights must rise from above ${input.height}; put them in order.`]),
  ]
}

/** Which kind of answer a package gives; undefined when its decoder is not known. */
export const decodedKind = ({ decoder }: Pick<ModelManifest, 'decoder'>): Decoded['kind'] | undefined =>
  decoders[String(decoder.name)]?.gives

export const createDecode = (manifest: ModelManifest): Decode => {
  const { decoder, value } = read(manifest)
  return decoder.create(manifest, value)
}

const read = (manifest: ModelManifest): { decoder: Decoder; value: unknown; errors: readonly DecoderError[] } => {
  const { name, ...options } = manifest.decoder
  const decoder = decoders[name as string]!
  return { decoder, ...validateConfig(decoder.options, options) }
}

type DecoderError = ReturnType<typeof validateConfig>['errors'][number]
