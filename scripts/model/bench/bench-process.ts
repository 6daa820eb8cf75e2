import type { ModelPackage } from '@watchpost/edge/inference/model-package'
import type { Picture } from '@watchpost/edge/inference/open-model'
import { createPreprocess } from '@watchpost/edge/inference/preprocess/preprocess'
import { createOnnxRuntime } from '@watchpost/edge/inference/runtimes/onnx/onnx-runtime'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { loadRuntime, ownRuntime } from '../open-package.js'
import { createRun, readUpright } from '../run-picture.js'

/** To the process: what to open, then the number of a picture to run, then the end. */
export interface BenchSetup {
  /** package: preparation, runtime and decoder of the agent; bare: onnxruntime-node alone on a prepared tensor. */
  readonly variant: 'package' | 'bare'
  readonly threads: number
  readonly model: ModelPackage
  readonly pictures: readonly string[]
}

/** From the process. Memory is what the process holds in RAM, in bytes. */
export type BenchMessage =
  | { readonly kind: 'ready'; readonly sessionBytes: number }
  | { readonly kind: 'ran'; readonly ms: number; readonly cpuMs: number; readonly rssBytes: number }
  | { readonly kind: 'failed'; readonly message: string }

/** The first runs allocate; later ones are what a camera sees. */
const warmUps = 5

const say = (message: BenchMessage): void => void process.send!(message)

type RunBench = (picture: Picture) => Promise<unknown>

const openRun = async ({ variant, threads, model }: BenchSetup): Promise<RunBench> => {
  if (variant === 'package') {
    const onnx = ownRuntime(model.manifest) === 'onnx'
    const runtime = onnx ? createOnnxRuntime({ threads }) : await loadRuntime(ownRuntime(model.manifest))
    return createRun(model, await runtime.open(model))
  }
  const { input } = model.manifest
  const session = await InferenceSession.create(model.weightsPath, { intraOpNumThreads: threads, logSeverityLevel: 3 })
  const tensors = new Map<Picture, Tensor>()
  return picture => {
    let tensor = tensors.get(picture)
    if (!tensor) {
      // The same size as the package gives this picture, which may be one of its taller heights.
      const preprocess = createPreprocess(input, picture.width, picture.height)
      const { inputWidth: width, inputHeight: height } = preprocess.geometry
      const values = new Float32Array(preprocess.values)
      preprocess.fill(picture.pixels, values)
      tensor = new Tensor('float32', values, input.layout === 'nchw' ? [1, 3, height, width] : [1, height, width, 3])
      tensors.set(picture, tensor)
    }
    return session.run({ [input.name]: tensor })
  }
}

const start = async (setup: BenchSetup): Promise<void> => {
  const pictures = await Promise.all(setup.pictures.map(readUpright))
  const before = process.memoryUsage.rss()
  const run = await openRun(setup)
  for (let i = 0; i < Math.max(warmUps, pictures.length); i++) await run(pictures[i % pictures.length]!)
  process.on('message', (number: number) => void measure(run, pictures[number % pictures.length]!))
  say({ kind: 'ready', sessionBytes: process.memoryUsage.rss() - before })
}

const measure = async (run: RunBench, picture: Picture): Promise<void> => {
  const cpu = process.cpuUsage()
  const began = performance.now()
  await run(picture)
  const ms = performance.now() - began
  const { user, system } = process.cpuUsage(cpu)
  say({ kind: 'ran', ms, cpuMs: (user + system) / 1000, rssBytes: process.memoryUsage.rss() })
}

process.once('message', (setup: BenchSetup) => {
  start(setup).catch((error: unknown) => say({ kind: 'failed', message: String(error) }))
})
