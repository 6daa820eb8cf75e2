import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node'
import type { ModelPackage } from '../../model-package.js'
import type { ModelRuntime, ModelSession } from '../../model-runtime.js'
import type { Tensors } from '../../tensor.js'

/**
 * One thread per session: ONNX Runtime's own pool spins between frames (38 ms CPU per inference at 5 fps against 6.4).
 * `run` blocks the thread it is called from, so sessions live in worker threads.
 */
const sessionOptions = {
  executionProviders: ['cpu'],
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  executionMode: 'sequential',
  graphOptimizationLevel: 'all',
  logSeverityLevel: 3,
} as const satisfies InferenceSession.SessionOptions

export const onnxRuntime: ModelRuntime = {
  async open(model) {
    const session = await InferenceSession.create(model.weightsPath, sessionOptions)
    checkNames(session, model)
    return openSession(session, model)
  },
}

const openSession = (session: InferenceSession, { manifest }: ModelPackage): ModelSession => {
  const { input, outputs } = manifest
  const shape = input.layout === 'nchw' ? [1, 3, input.height, input.width] : [1, input.height, input.width, 3]
  // Outputs are filled in place, at every run the same memory.
  const fetches: Record<string, OrtTensor> = {}
  const results: Record<string, { shape: readonly number[]; data: Float32Array }> = {}
  for (const output of outputs) {
    const data = new Float32Array(output.shape.reduce((product, length) => product * length, 1))
    fetches[output.name] = new OrtTensor('float32', data, output.shape)
    results[output.name] = { shape: output.shape, data }
  }
  let feeds: Record<string, OrtTensor> = {}
  let fed: Float32Array | undefined
  return {
    async run(values): Promise<Tensors> {
      if (values !== fed) {
        feeds = { [input.name]: new OrtTensor('float32', values, shape) }
        fed = values
      }
      await session.run(feeds, fetches)
      return results
    },
    close: () => session.release(),
  }
}

/** Shapes are checked by the first run, which start() makes; names are clearer said here. */
const checkNames = (session: InferenceSession, { manifest, weightsPath }: ModelPackage): void => {
  const { input, outputs } = manifest
  if (!session.inputNames.includes(input.name))
    throw new Error(
      `${weightsPath} has no input "${input.name}"; its inputs are ${session.inputNames.join(', ')}: correct input.name in the manifest.`,
    )
  const missing = outputs.find(({ name }) => !session.outputNames.includes(name))
  if (missing)
    throw new Error(
      `${weightsPath} has no output "${missing.name}"; its outputs are ${session.outputNames.join(', ')}: correct outputs in the manifest.`,
    )
}
