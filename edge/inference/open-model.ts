import type { Decode } from './decoders/decoder.js'
import { createDecode } from './decoders/decoder-options.js'
import type { Decoded } from './inference-result.js'
import type { ModelPackage } from './model-package.js'
import type { FrameMoment, ModelRuntime, ModelSession } from './model-runtime.js'
import { createPreprocess, heightsOf, type Preprocess } from './preprocess/preprocess.js'

/** A session with what stands before and behind it: frame in, decoded answer out. One call at a time. */
export interface OpenModel {
  readonly session: ModelSession
  readonly decode: Decode
  detect(frame: FrameMoment & { width: number; height: number; pixels: Uint8Array }): Promise<Decoded>
}

interface Plan {
  readonly preprocess: Preprocess
  /** The part of the model's buffer that this frame size fills. */
  readonly values: Float32Array
}

/** Frame sizes whose resize plan is kept per model: as many as cameras of one worker are likely to differ in. */
const plansKept = 32

export const openModel = async (model: ModelPackage, runtime: ModelRuntime): Promise<OpenModel> => {
  const { input } = model.manifest
  const session = await runtime.open(model)
  const decode = createDecode(model.manifest)
  const buffer = new Float32Array(input.width * heightsOf(input).at(-1)! * 3)
  const plans = new Map<string, Plan>()
  const planFor = (width: number, height: number): Plan => {
    const key = `${width}x${height}`
    const known = plans.get(key)
    if (known) return known
    if (plans.size >= plansKept) plans.clear()
    const preprocess = createPreprocess(input, width, height)
    const plan = { preprocess, values: buffer.subarray(0, preprocess.values) }
    plans.set(key, plan)
    return plan
  }
  return {
    session,
    decode,
    async detect(frame) {
      const { preprocess, values } = planFor(frame.width, frame.height)
      preprocess.fill(frame.pixels, values)
      return decode(await session.run(values, frame), preprocess.geometry)
    },
  }
}
