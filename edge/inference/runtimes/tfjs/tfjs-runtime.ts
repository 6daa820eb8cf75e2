import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import * as tf from '@tensorflow/tfjs'
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm'
import type { ModelPackage } from '../../model-package.js'
import type { ModelRuntime, ModelSession } from '../../model-runtime.js'
import type { Tensor, Tensors } from '../../tensor.js'
import { readResizedGraph } from './resized-graph.js'

/**
 * Opens TF.js graph models with tfjs-node where it is installed, else with the WebAssembly backend, which needs
 * neither a network nor a compiler but takes about four times as long as ONNX Runtime.
 */
export const tfjsRuntime: ModelRuntime = {
  async open(model) {
    if (model.graphPath === null)
      throw new Error(`Package ${model.manifest.id} holds no TF.js graph; set its runtime to onnx.`)
    await startBackend()
    const { height, width } = model.manifest.input
    const artifacts = await readResizedGraph(model.graphPath, [height, width])
    const graph = await tf.loadGraphModel({ load: async () => artifacts })
    return openSession(graph, model)
  },
}

let started: Promise<void> | undefined
/** TF.js has one backend per thread, shared by all its sessions. */
const startBackend = (): Promise<void> => {
  started ??= chooseBackend()
  return started
}

const chooseBackend = async (): Promise<void> => {
  const native = await import('@tensorflow/tfjs-node' as string).then(
    () => true,
    () => false,
  )
  if (!native) {
    const folder = dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm/package.json'))
    setWasmPaths(join(folder, 'dist', '/'))
  }
  const backend = native ? 'tensorflow' : 'wasm'
  if (!(await tf.setBackend(backend))) throw new Error(`TF.js could not start its ${backend} backend.`)
}

const openSession = (graph: tf.GraphModel, { manifest }: ModelPackage): ModelSession => {
  const { width, height, layout } = manifest.input
  const names = manifest.outputs.map(({ name }) => name)
  return {
    async run(values): Promise<Tensors> {
      // The wasm backend keeps the array it is given, so each run gets its own.
      const picture = layout === 'nchw' ? channelsLast(values, height * width) : Float32Array.from(values)
      const input = tf.tensor4d(picture, [1, height, width, 3])
      const results = [graph.execute(input, names)].flat()
      input.dispose()
      try {
        const tensors = await Promise.all(
          results.map(async (tensor, i) =>
            asDeclared(tensor.shape, (await tensor.data()) as Float32Array, manifest.outputs[i]!, layout),
          ),
        )
        return Object.fromEntries(names.map((name, i) => [name, tensors[i]!]))
      } finally {
        tf.dispose(results)
      }
    },
    async close() {
      graph.dispose()
    },
  }
}

/** TF.js graphs have channels last; where the manifest has them first at the input, its maps have them first too. */
const asDeclared = (
  shape: readonly number[],
  data: Float32Array,
  { name, shape: declared }: { readonly name: string; readonly shape: readonly number[] },
  layout: unknown,
): Tensor => {
  const [one, height, width, channels] = shape
  const turns = layout === 'nchw' && shape.length === 4
  const given = turns ? [one!, channels!, height!, width!] : shape
  if (given.join() === declared.join()) return { shape: given, data: turns ? channelsFirst(data, channels!) : data }
  throw new Error(
    `Output "${name}" has the shape ${given.join('×')}, the manifest says ${declared.join('×')}: correct outputs there.`,
  )
}

const channelsLast = (data: Float32Array, plane: number): Float32Array => {
  const channels = data.length / plane
  const turned = new Float32Array(data.length)
  for (let channel = 0; channel < channels; channel++)
    for (let i = 0; i < plane; i++) turned[i * channels + channel] = data[channel * plane + i]!
  return turned
}

const channelsFirst = (data: Float32Array, channels: number): Float32Array => {
  const plane = data.length / channels
  const turned = new Float32Array(data.length)
  for (let i = 0; i < plane; i++)
    for (let channel = 0; channel < channels; channel++) turned[channel * plane + i] = data[i * channels + channel]!
  return turned
}
