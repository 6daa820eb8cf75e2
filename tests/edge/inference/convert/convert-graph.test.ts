import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { convertGraph } from '../../../../edge/inference/convert/convert-graph.js'
import { readGraphModel } from '../../../../edge/inference/convert/graph-model.js'
import { onnxFile } from '../../../../edge/inference/convert/onnx-file.js'
import { loadModelPackage, type ModelPackage } from '../../../../edge/inference/model-package.js'
import { onnxRuntime } from '../../../../edge/inference/runtimes/onnx/onnx-runtime.js'
import { tfjsRuntime } from '../../../../edge/inference/runtimes/tfjs/tfjs-runtime.js'
import { digest, temporaryFolder } from '../packages.js'

const vehicles = fileURLToPath(new URL('../../../../models/vehicles', import.meta.url))
const moment = { cameraId: 'camera-1', number: 1, takenAt: 0 }

interface GraphNode {
  readonly name: string
  readonly op: string
  readonly input?: readonly string[]
  readonly attr?: object
}
const list = (...values: number[]) => ({ list: { i: values.map(String) } })
const text = (value: string) => ({ s: Buffer.from(value).toString('base64') })
const fused = (...names: string[]) => ({ list: { s: names.map(name => Buffer.from(name).toString('base64')) } })
const picture: GraphNode = {
  name: 'picture',
  op: 'Placeholder',
  attr: { shape: { shape: { dim: ['1', '8', '8', '3'].map(size => ({ size })) } } },
}

interface Weights {
  readonly name: string
  readonly shape: readonly number[]
  readonly values: readonly number[]
  readonly quantized?: { readonly scale: number; readonly min: number }
  readonly integer?: true
}

/** A small TF.js graph model in a folder; quantised weights as one byte each. */
const writeGraph = (nodes: readonly GraphNode[], weights: readonly Weights[]): string => {
  const folder = temporaryFolder()
  const bytes = weights.map(({ values, quantized, integer }) => {
    if (quantized)
      return Buffer.from(Uint8Array.from(values, value => Math.round((value - quantized.min) / quantized.scale)))
    return Buffer.from((integer ? Int32Array.from(values) : Float32Array.from(values)).buffer)
  })
  writeFileSync(join(folder, 'shard.bin'), Buffer.concat(bytes))
  const entries = weights.map(({ name, shape, quantized, integer }) => ({
    name,
    shape,
    dtype: integer ? 'int32' : 'float32',
    ...(quantized ? { quantization: { dtype: 'uint8', ...quantized } } : {}),
  }))
  const constants = weights.map(({ name }) => ({ name, op: 'Const', attr: {} }))
  const path = join(folder, 'model.json')
  const model = {
    format: 'graph-model',
    modelTopology: { node: [...constants, picture, ...nodes], library: {}, versions: { producer: 1 } },
    weightsManifest: [{ paths: ['shard.bin'], weights: entries }],
  }
  writeFileSync(path, JSON.stringify(model))
  return path
}

/** Runs one graph as ONNX and as TF.js and gives the largest difference. */
const apart = async (graphPath: string, output: { name: string; shape: number[] }, size = 8): Promise<number> => {
  const options = { inputName: 'picture', height: size, width: size, outputs: [output.name] }
  const weightsPath = join(temporaryFolder(), 'model.onnx')
  writeFileSync(weightsPath, Buffer.concat(onnxFile(convertGraph(await readGraphModel(graphPath), options))))
  const manifest = {
    id: 'small',
    input: { name: 'picture', width: size, height: size, layout: 'nchw' },
    outputs: [output],
  } as unknown as ModelPackage['manifest']
  const model = { manifest, weightsPath, graphPath } as unknown as ModelPackage
  const input = Float32Array.from({ length: size * size * 3 }, (_, i) => ((i * 37) % 101) / 50 - 1)
  const [onnx, tfjs] = await Promise.all([onnxRuntime.open(model), tfjsRuntime.open(model)])
  const a = (await onnx.run(input, moment))[output.name]!
  const b = (await tfjs.run(input, moment))[output.name]!
  expect([a.shape, b.shape]).toEqual([output.shape, output.shape])
  expect(new Set(a.data).size).toBeGreaterThan(3)
  await Promise.all([onnx.close(), tfjs.close()])
  return a.data.reduce((most, value, i) => Math.max(most, Math.abs(value - b.data[i]!)), 0)
}

const some = (count: number, seed: number): readonly number[] =>
  Array.from({ length: count }, (_, i) => (((i + seed) * 29) % 41) / 41 - 0.5)

describe('TF.js graph to ONNX', () => {
  it('gives the shipped detector the answers of the TF.js runtime', { timeout: 120_000 }, async () => {
    const model = await loadModelPackage(vehicles, { cacheDir: temporaryFolder(), requireSignatures: false })
    const { width, height } = model.manifest.input
    const input = Float32Array.from({ length: width * height * 3 }, (_, i) => (i * 7919) % 256)
    const [onnx, tfjs] = [await onnxRuntime.open(model), await tfjsRuntime.open(model)]
    const [a, b] = [await onnx.run(input, moment), await tfjs.run(input, moment)]
    const most = (name: string) =>
      a[name]!.data.reduce((worst, value, i) => Math.max(worst, Math.abs(value - b[name]!.data[i]!)), 0)
    console.log(`heat map apart by ${most('tower_0/keypoints')}, sizes by ${most('tower_0/wh')} pixels`)
    expect(most('tower_0/keypoints')).toBeLessThan(1e-4)
    expect(most('tower_0/wh')).toBeLessThan(0.02)
    expect(a['tower_0/keypoints']!.data.some(score => score > 0.01)).toBe(true)
    await Promise.all([onnx.close(), tfjs.close()])
  })

  it('writes the same bytes every time', async () => {
    const model = await loadModelPackage(vehicles, { cacheDir: temporaryFolder(), requireSignatures: false })
    const graph = await readGraphModel(model.graphPath!)
    const { input, derivedFrom, weights } = model.manifest
    const { width, height } = input
    const convert = () =>
      Buffer.concat(
        onnxFile(convertGraph(graph, { inputName: input.name, width, height, outputs: derivedFrom!.outputs })),
      )
    expect([digest(convert()), digest(convert())]).toEqual([weights.sha256, weights.sha256])
  })

  it.each([
    ['SAME', 2, [1, 1], 4, 8],
    ['SAME', 2, [1, 1], 5, 9],
    ['VALID', 1, [1, 1], 6, 8],
    ['SAME', 1, [2, 2], 8, 8],
  ] as const)(
    'converts convolutions with padding %s, stride %i, dilation %j to %i of %i cells',
    async (padding, stride, dilation, size, input) => {
      const path = writeGraph(
        [
          {
            name: 'conv',
            op: '_FusedConv2D',
            input: ['picture', 'kernel', 'bias'],
            attr: {
              strides: list(1, stride, stride, 1),
              dilations: list(1, ...dilation, 1),
              padding: text(padding),
              fused_ops: fused('BiasAdd', 'Relu6'),
              data_format: text('NHWC'),
              num_args: { i: '1' },
              epsilon: { f: 0 },
            },
          },
        ],
        [
          { name: 'kernel', shape: [3, 3, 3, 5], values: some(135, 1) },
          { name: 'bias', shape: [5], values: some(5, 2) },
        ],
      )
      expect(await apart(path, { name: 'conv', shape: [1, 5, size, size] }, input)).toBeLessThan(1e-5)
    },
  )

  it('converts a graph of all other operators, with quantised weights', async () => {
    const conv = {
      strides: list(1, 1, 1, 1),
      dilations: list(1, 1, 1, 1),
      padding: text('SAME'),
      data_format: text('NHWC'),
    }
    const path = writeGraph(
      [
        { name: 'deep', op: 'DepthwiseConv2dNative', input: ['picture', 'depthwise'], attr: conv },
        { name: 'swish/add', op: 'AddV2', input: ['deep', 'three'], attr: {} },
        { name: 'swish/relu6', op: 'Relu6', input: ['swish/add'], attr: {} },
        { name: 'swish', op: 'Mul', input: ['deep', 'swish/relu6'], attr: {} },
        { name: 'mean', op: 'Mean', input: ['swish', 'axes'], attr: { keep_dims: { b: true } } },
        { name: 'gate', op: 'Sigmoid', input: ['mean'], attr: {} },
        { name: 'gated', op: 'Mul', input: ['swish', 'gate'], attr: {} },
        { name: 'shifted', op: 'Sub', input: ['gated', 'perChannel'], attr: {} },
        {
          name: 'pooled',
          op: 'MaxPool',
          input: ['shifted'],
          attr: {
            ksize: list(1, 2, 2, 1),
            strides: list(1, 2, 2, 1),
            padding: text('SAME'),
            data_format: text('NHWC'),
          },
        },
        {
          name: 'up',
          op: 'ResizeBilinear',
          input: ['pooled', 'eight'],
          attr: { align_corners: { b: false }, half_pixel_centers: { b: false } },
        },
        { name: 'relu', op: 'Relu', input: ['up'], attr: {} },
        { name: 'joined', op: 'ConcatV2', input: ['relu', 'picture', 'axis'], attr: { N: { i: '2' } } },
        { name: 'answer', op: 'Identity', input: ['joined'], attr: {} },
      ],
      [
        { name: 'depthwise', shape: [3, 3, 3, 2], values: some(54, 3), quantized: { scale: 1 / 255, min: -0.5 } },
        { name: 'three', shape: [], values: [3] },
        { name: 'perChannel', shape: [6], values: some(6, 4) },
        { name: 'axes', shape: [2], values: [1, 2], integer: true },
        { name: 'eight', shape: [2], values: [8, 8], integer: true },
        { name: 'axis', shape: [], values: [3], integer: true },
      ],
    )
    expect(await apart(path, { name: 'answer', shape: [1, 9, 8, 8] })).toBeLessThan(1e-5)
    // At twice the size, what was upsampled to 8×8 is upsampled to 16×16.
    expect(await apart(path, { name: 'answer', shape: [1, 9, 16, 16] }, 16)).toBeLessThan(1e-5)
  })

  it('refuses what it cannot convert, by name', async () => {
    const path = writeGraph([{ name: 'odd', op: 'Einsum', input: ['picture'] }], [])
    const convert = async (output: string) =>
      convertGraph(await readGraphModel(path), { inputName: 'picture', height: 8, width: 8, outputs: [output] })
    await expect(convert('odd')).rejects.toThrow(
      /Operator Einsum at node "odd" cannot be converted; known are Identity, Conv2D.*Choose outputs that lie before it/,
    )
    await expect(convert('none')).rejects.toThrow(/no node "none"/)
  })

  it('refuses a graph whose weights end early', async () => {
    const path = writeGraph([], [{ name: 'kernel', shape: [4], values: [1, 2] }])
    await expect(readGraphModel(path)).rejects.toThrow(/the weights end early, at "kernel"/)
  })
})
