import { createDecode } from './decoders/decoder-options.js'
import type { Decoded } from './inference-result.js'
import type { ModelPackage } from './model-package.js'
import type { FrameMoment, ModelRuntime, ModelSession } from './model-runtime.js'
import { createPreprocess, heightsOf, type Preprocess } from './preprocess/preprocess.js'
import type { Tensors } from './tensor.js'

/** RGB, 8 bits, row-major. */
export interface Picture {
  readonly width: number
  readonly height: number
  readonly pixels: Uint8Array
}

/** What a model says about a picture. The outputs are valid until the next run. */
export interface Answer {
  readonly outputs: Tensors
  readonly decoded: Decoded
}

/** One call at a time. */
export type AnswerPicture = (picture: Picture & FrameMoment) => Promise<Answer>

export interface OpenModel {
  readonly session: ModelSession
  readonly answer: AnswerPicture
}

interface Plan {
  readonly preprocess: Preprocess
  /** The part of the model's buffer that this frame size fills. */
  readonly values: Float32Array
}

/** Frame sizes whose resize plan is kept per model: as many as cameras of one worker are likely to differ in. */
const plansKept = 32

export const openModel = async (model: ModelPackage, runtime: ModelRuntime): Promise<OpenModel> => {
  const session = await runtime.open(model)
  return { session, answer: createAnswer(model, session) }
}

/** What stands before and behind a session: preparation and decoder, as the manifest says. */
export const createAnswer = ({ manifest }: ModelPackage, session: ModelSession): AnswerPicture => {
  const { input } = manifest
  const decode = createDecode(manifest)
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
  return async picture => {
    const { preprocess, values } = planFor(picture.width, picture.height)
    preprocess.fill(picture.pixels, values)
    const outputs = await session.run(values, picture)
    return { outputs, decoded: decode(outputs, preprocess.geometry) }
  }
}
