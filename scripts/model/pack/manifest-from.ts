import { readFile } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import type { ModelInput, ModelManifest } from '@watchpost/shared/manifest/model-manifest'
import { decoders } from '@watchpost/edge/inference/decoders/decoders'
import { externalDataOf, externalDataProblem } from '@watchpost/edge/inference/external-data'
import { hashFiles } from '@watchpost/edge/inference/file-hash'
import { FailedError, type Given, UsageError } from '../command.js'
import { answersTo } from './ask.js'
import { describeGraph } from './describe-graph.js'
import { decoderNames, guessDecoder, taskFor, taskNames } from './guess.js'

/** Of a model that was trained on pixels as they are; others are given with --mean and --std. */
const pixelsAsTheyAre = { mean: [0, 0, 0], std: [1, 1, 1] } as const
const defaultThreshold = 0.3
const defaultTolerance = 0.02

export interface PackPlan {
  readonly manifest: ModelManifest
  /** Pictures for golden samples, or folders of them. */
  readonly images: readonly string[]
}

/** A manifest for an ONNX file from its graph, the options given and, on a terminal, a few answers. Golden samples come later. */
export const manifestFrom = async (onnxPath: string, given: Given): Promise<PackPlan> => {
  const elsewhere = await externalDataOf(onnxPath)
  if (elsewhere.length > 0) throw new FailedError(externalDataProblem(onnxPath, elsewhere))
  const graph = await describeGraph(onnxPath, sizeOf(given))
  const first = await answersTo({
    labels: {
      option: 'labels',
      question: 'Labels in the order of the channels (file with one per line, or a,b,c)',
      hint: 'a file with one label per line, or a,b,c: in the order of the channels',
      given: given.text('labels'),
    },
    licence: {
      option: 'licence',
      question: 'Licence of the weights',
      hint: 'licence of the weights, e.g. Apache-2.0',
      given: given.text('licence'),
    },
    images: {
      option: 'images',
      question: 'Folder of pictures for golden samples, which you may hand on',
      hint: 'folder of pictures for golden samples, which you may hand on; without any nobody could tell whether the model still answers as it does now',
      given: given.texts('images').join(' ') || undefined,
    },
  })
  const labels = await readLabels(first.labels, given)
  const guessed = guessDecoder(graph, labels.length)
  const shapes = graph.outputs.map(({ name, shape }) => `${name} ${shape.join('×')}`).join(', ')
  const stem = idFrom(onnxPath)
  const answers = await answersTo({
    id: {
      option: 'id',
      question: 'Id of the model',
      hint: 'id of the model: a-z, 0-9 and -',
      given: given.text('id'),
      ...(stem ? { suggestion: stem } : {}),
    },
    decoder: {
      option: 'decoder',
      question: `Decoder for ${shapes} (${decoderNames.join(', ')})`,
      hint: `what the outputs (${shapes}) mean: ${decoderNames.join(', ')}`,
      given: given.oneOf('decoder', decoderNames),
      ...(guessed ? { suggestion: guessed } : {}),
    },
  })
  const decoder = decoderNames.find(name => name === answers.decoder)
  if (!decoder) throw new UsageError(`"${answers.decoder}" is no decoder; there are ${decoderNames.join(', ')}.`)
  const isDetector = decoders[decoder]!.gives === 'detections'
  const activation = given.oneOf('activation', ['none', 'sigmoid', 'softmax'])
  const tallerHeights = heightsOf(given)
  const input: ModelInput = {
    ...graph.input,
    ...(tallerHeights ? { tallerHeights } : {}),
    channels: given.oneOf('channels', ['rgb', 'bgr']) ?? 'rgb',
    resize: given.oneOf('resize', ['stretch', 'letterbox']) ?? (isDetector ? 'letterbox' : 'stretch'),
    mean: threeNumbers(given, 'mean') ?? [...pixelsAsTheyAre.mean],
    std: threeNumbers(given, 'std') ?? [...pixelsAsTheyAre.std],
  }
  const manifest: ModelManifest = {
    schemaVersion: 1,
    id: answers.id,
    version: given.text('version') ?? '0.1.0',
    task: given.oneOf('task', taskNames) ?? taskFor(decoder),
    runtime: 'onnx',
    decoder: { name: decoder, ...(activation ? { activation } : {}), ...decoderOptions(given) },
    weights: { path: 'model.onnx', ...(await hashFiles([onnxPath])) },
    input,
    outputs: graph.outputs.map(({ name, shape }) => ({ name, shape: [...shape] })),
    labels: [...labels],
    thresholds: thresholdsOf(given, labels),
    tolerance: given.number('tolerance', { fallback: defaultTolerance, least: 0, most: 1 }),
    golden: [],
    licence: first.licence,
    sources: [],
    metrics: {},
  }
  return {
    manifest,
    images: given.paths('images').length > 0 ? given.paths('images') : [resolve(given.here, first.images)],
  }
}

const idFrom = (path: string): string =>
  basename(path)
    .replace(/\.onnx$/i, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')

const heightsOf = (given: Given): number[] | undefined => {
  const text = given.text('taller-heights')
  if (text === undefined) return undefined
  if (!/^\d{2,4}(,\d{2,4})*$/.test(text))
    throw new UsageError(`--taller-heights is "${text}"; write rows, rising, e.g. 480,640.`)
  return text.split(',').map(Number)
}

const sizeOf = (given: Given): { readonly width: number; readonly height: number } | undefined => {
  const text = given.text('size')
  if (text === undefined) return undefined
  const [, width, height] = /^(\d{2,4})x(\d{2,4})$/.exec(text) ?? []
  if (!width || !height) throw new UsageError(`--size is "${text}"; write WIDTHxHEIGHT, e.g. 640x384.`)
  return { width: Number(width), height: Number(height) }
}

const readLabels = async (text: string, given: Given): Promise<readonly string[]> => {
  const path = given.text('labels') === text ? given.path('labels')! : text
  const content = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT' && !/[/\\]|\.txt$/.test(text)) return text.replaceAll(',', '\n')
    throw new FailedError(`Labels ${text} cannot be read (${cause.message}); give a file or a,b,c.`, { cause })
  })
  const labels = content
    .split(/\r?\n/)
    .map(label => label.trim())
    .filter(Boolean)
  if (labels.length === 0) throw new UsageError(`--labels ${text} holds no label; give one per line, or a,b,c.`)
  return labels
}

const threeNumbers = (given: Given, option: 'mean' | 'std'): [number, number, number] | undefined => {
  const text = given.text(option)
  if (text === undefined) return undefined
  const values = text.split(',').map(value => (value.trim() === '' ? Number.NaN : Number(value)))
  const three = values.length === 1 ? [values[0]!, values[0]!, values[0]!] : values
  if (three.length === 3 && three.every(value => Number.isFinite(value) && (option === 'mean' || value > 0)))
    return three as [number, number, number]
  throw new UsageError(
    `--${option} is "${text}"; give one number or three with commas, of pixel values 0..255 (value = (pixel - mean) / std).`,
  )
}

/** `0.4` for all labels, or `smoke=0.5,flame=0.6`. */
const thresholdsOf = (given: Given, labels: readonly string[]): Record<string, number> => {
  const text = given.text('threshold') ?? String(defaultThreshold)
  const entries = text.split(',').map((part): [string, number] => {
    const [left, right] = part.split('=')
    const value = Number(right ?? left)
    const label = right === undefined ? 'default' : left!.trim()
    if (!(value >= 0 && value <= 1) || (label !== 'default' && !labels.includes(label)))
      throw new UsageError(
        `--threshold "${part}" is not understood; give 0..1 for all labels, or LABEL=0..1 for some of ${labels.slice(0, 12).join(', ')}.`,
      )
    return [label, value]
  })
  return Object.fromEntries(entries)
}

/** `--option strides=[8,16,32]`: what the decoder takes besides; it checks its options itself. */
const decoderOptions = (given: Given): Record<string, unknown> =>
  Object.fromEntries(
    given.texts('option').map(text => {
      const [, key, value] = /^([A-Za-z]+)=(.*)$/s.exec(text) ?? []
      if (!key || value === undefined)
        throw new UsageError(`--option "${text}" is not understood; write NAME=VALUE, e.g. inside=0.8.`)
      try {
        return [key, JSON.parse(value)]
      } catch {
        return [key, value]
      }
    }),
  )
