import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { Frame } from '../../../edge/frames/frame.js'
import { onnxFile } from '../../../edge/inference/convert/onnx-file.js'
import { loadModelPackage, type ModelPackage } from '../../../edge/inference/model-package.js'

/** A folder that is gone after the test. */
export const temporaryFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'watchpost-inference-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

export const digest = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex')

/**
 * A real ONNX model small enough to reckon by hand: each 16×16 cell's mean red and mean blue, divided by 255.
 * Input 64×32, output `[1, 2, 2, 4]`.
 */
export const meansModel = (): Uint8Array => {
  const weights = new Float32Array(2 * 3 * 16 * 16)
  for (let i = 0; i < 256; i++) {
    weights[i] = 1 / 256 / 255
    weights[(3 + 2) * 256 + i] = 1 / 256 / 255
  }
  return Buffer.concat(
    onnxFile({
      name: 'means',
      inputs: [{ name: 'images', shape: [1, 3, 32, 64] }],
      outputs: [{ name: 'scores', shape: [1, 2, 2, 4] }],
      constants: [{ name: 'kernel', shape: [2, 3, 16, 16], data: weights }],
      nodes: [
        {
          operator: 'Conv',
          inputs: ['images', 'kernel'],
          output: 'scores',
          attributes: { strides: [16, 16], kernel_shape: [16, 16] },
        },
      ],
    }),
  )
}

type Json = Record<string, unknown>

/** Of the model of means: pixels as they are. */
export const meansInput = {
  name: 'images',
  width: 64,
  height: 32,
  layout: 'nchw',
  channels: 'rgb',
  resize: 'stretch',
  mean: [0, 0, 0],
  std: [1, 1, 1],
}

export const gridManifest = (weights: Uint8Array | string, changes: Json = {}): Json => ({
  schemaVersion: 1,
  id: 'means',
  version: '1.2.3',
  task: 'smoke-flame',
  runtime: 'onnx',
  decoder: { name: 'grid' },
  weights: { path: 'model.onnx', sha256: digest(weights), bytes: Buffer.byteLength(weights) },
  input: meansInput,
  outputs: [{ name: 'scores', shape: [1, 2, 2, 4] }],
  labels: ['smoke', 'flame'],
  thresholds: { default: 0.5 },
  tolerance: 0.001,
  golden: [],
  licence: 'Apache-2.0',
  sources: [],
  metrics: {},
  ...changes,
})

/** One grey pixel, 0.2 of white. */
export const greyPng = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVQImWMwNjYGAAE2AJosw40TAAAAAElFTkSuQmCC',
  'base64',
)

const greySample = {
  'golden/one-grey.png': greyPng,
  'golden/one-grey.json': JSON.stringify({
    outputs: { scores: { shape: [1, 2, 2, 4], values: new Array(16).fill(0.2) } },
  }),
}

/** Writes a package folder: by default the model of means with a golden sample, which passes every check. */
export const writePackage = (given: Json = {}, files: Readonly<Record<string, Uint8Array | string>> = {}): string => {
  const folder = temporaryFolder()
  const weights = files['model.onnx'] ?? meansModel()
  const samples = given.golden || given.runtime === 'scripted' ? {} : greySample
  const golden =
    Object.keys(samples).length > 0 ? [{ image: 'golden/one-grey.png', expected: 'golden/one-grey.json' }] : []
  const changes = { golden, ...given }
  const all: Record<string, Uint8Array | string> = {
    'model.onnx': weights,
    ...samples,
    'manifest.json': JSON.stringify(gridManifest(weights, changes)),
    ...files,
  }
  for (const [path, content] of Object.entries(all)) {
    mkdirSync(join(folder, path, '..'), { recursive: true })
    writeFileSync(join(folder, path), content)
  }
  return folder
}

/** 2×2 cells of stride 32: box over the cell, objectness the mean of red, one class. */
export const writeDetector = (input: Json = {}): string => {
  const kernel = new Float32Array(6 * 3 * 32 * 32)
  // Rows of the head: x, y (half a cell from its corner), log width, log height, objectness, class.
  for (let i = 0; i < 1024; i++) kernel[4 * 3 * 1024 + i] = 1 / 1024 / 255
  const constants = [
    { name: 'kernel', shape: [6, 3, 32, 32], data: kernel },
    { name: 'bias', shape: [6], data: Float32Array.of(0.5, 0.5, 0, 0, 0, 1) },
    { name: 'rows', shape: [3], data: BigInt64Array.of(1n, 6n, 4n) },
  ]
  const bytes = Buffer.concat(
    onnxFile({
      name: 'cells',
      inputs: [{ name: 'images', shape: [1, 3, 64, 64] }],
      outputs: [{ name: 'head', shape: [1, 4, 6] }],
      constants,
      nodes: [
        {
          operator: 'Conv',
          inputs: ['images', 'kernel', 'bias'],
          output: 'map',
          attributes: { strides: [32, 32], kernel_shape: [32, 32] },
        },
        { operator: 'Reshape', inputs: ['map', 'rows'], output: 'flat' },
        { operator: 'Transpose', inputs: ['flat'], output: 'head', attributes: { perm: [0, 2, 1] } },
      ],
    }),
  )
  return writePackage(
    {
      task: 'detection',
      decoder: { name: 'yolox', strides: [32] },
      input: { ...meansInput, height: 64, ...input },
      outputs: [{ name: 'head', shape: [1, 4, 6] }],
      labels: ['car'],
      weights: { path: 'model.onnx', sha256: digest(bytes), bytes: bytes.length },
      golden: [{ image: 'golden/a.json', expected: 'golden/a.json' }],
    },
    { 'model.onnx': bytes, 'golden/a.json': '{}' },
  )
}

/** A package whose answers follow a script; same outputs as the model of means. */
export const writeScriptedPackage = (script: Json, changes: Json = {}): string => {
  const text = JSON.stringify(script)
  return writePackage(
    {
      id: 'scripted',
      runtime: 'scripted',
      weights: { path: 'script.json', sha256: digest(text), bytes: text.length },
      ...changes,
    },
    { 'script.json': text },
  )
}

export const load = (
  folder: string,
  options: Partial<Parameters<typeof loadModelPackage>[1]> = {},
): Promise<ModelPackage> =>
  loadModelPackage(folder, { cacheDir: join(folder, 'cache'), requireSignatures: false, ...options })

export const frameOf = (
  width: number,
  height: number,
  colour: (x: number, y: number) => readonly [number, number, number] = () => [0, 0, 0],
  changes: Partial<Frame> = {},
): Frame => {
  const pixels = new Uint8Array(new SharedArrayBuffer(width * height * 3))
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) pixels.set(colour(x, y), (y * width + x) * 3)
  return { cameraId: 'camera-1', width, height, pixels, takenAt: Date.UTC(2026, 9, 27), number: 1, ...changes }
}
