import type { ModelInput } from '@watchpost/shared/manifest/model-manifest'
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

/** `threads` is for benches: the agent takes one per session. */
export const createOnnxRuntime = ({ threads }: { readonly threads: number }): ModelRuntime => ({
  async open(model) {
    const options = { ...sessionOptions, intraOpNumThreads: threads }
    const session = await InferenceSession.create(model.weightsPath, options)
    checkGraph(session, model)
    return openSession(session, model)
  },
})

export const onnxRuntime = createOnnxRuntime({ threads: sessionOptions.intraOpNumThreads })

const openSession = (session: InferenceSession, { manifest }: ModelPackage): ModelSession => {
  const { input, outputs } = manifest
  const usual = input.width * input.height * 3
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
        const height = values.length / (input.width * 3)
        feeds = { [input.name]: new OrtTensor('float32', values, shapeOf({ ...input, height })) }
        fed = values
      }
      if (values.length !== usual) return tensorsOf(await session.run(feeds), outputs)
      await session.run(feeds, fetches)
      return results
    },
    close: () => session.release(),
  }
}

/** Of a taller input: how many rows its outputs have only the graph knows. */
const tensorsOf = (found: InferenceSession.ReturnType, outputs: ModelPackage['manifest']['outputs']): Tensors =>
  Object.fromEntries(
    outputs.map(({ name }) => [name, { shape: found[name]!.dims, data: found[name]!.data as Float32Array }]),
  )

/** A wrong name, type or size is said here, with what to correct; the first run would only say that something is wrong. */
const checkGraph = (session: InferenceSession, { manifest, weightsPath }: ModelPackage): void => {
  const { input, outputs } = manifest
  const inputShape = shapeOf(input)
  const fits = (kind: 'input' | 'outputs', name: string, shape: readonly number[]): void => {
    const [names, metadata] =
      kind === 'input' ? [session.inputNames, session.inputMetadata] : [session.outputNames, session.outputMetadata]
    const found = metadata[names.indexOf(name)]
    const where = kind === 'input' ? 'input.name' : 'outputs'
    if (!found)
      throw new Error(
        `${weightsPath} has no ${kind === 'input' ? 'input' : 'output'} "${name}"; its ${kind === 'input' ? 'inputs' : 'outputs'} are ${names.join(', ')}: correct ${where} in the manifest.`,
      )
    if (!found.isTensor || found.type !== 'float32')
      throw new Error(
        `"${name}" of ${weightsPath} is of type ${found.isTensor ? found.type : 'non-tensor'}; Watchpost gives and takes float32: export the model with float32 at its ends.`,
      )
    // Sizes that the graph leaves open are names there.
    const differs = found.shape.some((length, i) => typeof length === 'number' && length > 0 && length !== shape[i])
    if (differs || (found.shape.length > 0 && found.shape.length !== shape.length))
      throw new Error(
        `"${name}" of ${weightsPath} has the shape ${found.shape.join('×')}, the manifest says ${shape.join('×')}: correct ${kind === 'input' ? 'input' : where} in the manifest.`,
      )
  }
  if (session.inputNames.length > 1)
    throw new Error(
      `${weightsPath} has ${session.inputNames.length} inputs (${session.inputNames.join(', ')}); Watchpost feeds one: export the model with the others fixed.`,
    )
  fits('input', input.name, inputShape)
  const declared = session.inputMetadata[0]
  const rows = declared?.isTensor ? declared.shape[input.layout === 'nchw' ? 2 : 1] : undefined
  if (input.tallerHeights && typeof rows === 'number')
    throw new Error(
      `${weightsPath} takes pictures of ${rows} rows only; export it with an open height, or leave input.tallerHeights out of the manifest.`,
    )
  for (const { name, shape } of outputs) fits('outputs', name, shape)
}

const shapeOf = ({ layout, height, width }: ModelInput): readonly number[] =>
  layout === 'nchw' ? [1, 3, height, width] : [1, height, width, 3]
