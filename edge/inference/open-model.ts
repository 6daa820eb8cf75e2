import type { Decode } from './decoders/decoder.js'
import { createDecode } from './decoders/decoder-options.js'
import type { Decoded } from './inference-result.js'
import type { ModelPackage } from './model-package.js'
import type { FrameMoment, ModelRuntime, ModelSession } from './model-runtime.js'
import { createPreprocess, type Preprocess } from './preprocess/preprocess.js'

/** A session with what stands before and behind it: frame in, decoded answer out. One call at a time. */
export interface OpenModel {
  readonly session: ModelSession
  readonly decode: Decode
  detect(frame: FrameMoment & { width: number; height: number; pixels: Uint8Array }): Promise<Decoded>
}

/** Frame sizes whose resize plan is kept per model: as many as cameras of one worker are likely to differ in. */
const plansKept = 32

export const openModel = async (model: ModelPackage, runtime: ModelRuntime): Promise<OpenModel> => {
  const { input } = model.manifest
  const session = await runtime.open(model)
  const decode = createDecode(model.manifest)
  const values = new Float32Array(input.width * input.height * 3)
  const plans = new Map<string, Preprocess>()
  const planFor = (width: number, height: number): Preprocess => {
    const key = `${width}x${height}`
    const known = plans.get(key)
    if (known) return known
    if (plans.size >= plansKept) plans.clear()
    const plan = createPreprocess(input, width, height)
    plans.set(key, plan)
    return plan
  }
  return {
    session,
    decode,
    async detect(frame) {
      const { geometry, fill } = planFor(frame.width, frame.height)
      fill(frame.pixels, values)
      return decode(await session.run(values, frame), geometry)
    },
  }
}
