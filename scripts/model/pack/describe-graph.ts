import { InferenceSession, Tensor } from 'onnxruntime-node'
import { FailedError, UsageError } from '../command.js'

export interface GraphInput {
  readonly name: string
  readonly width: number
  readonly height: number
  readonly layout: 'nchw' | 'nhwc'
}

export interface GraphOutput {
  readonly name: string
  readonly shape: readonly number[]
}

export interface GraphDescription {
  readonly input: GraphInput
  readonly outputs: readonly GraphOutput[]
}

/** Reads names, layout and sizes from an ONNX file; sizes that it leaves open come from `size` and one run on nothing. */
export const describeGraph = async (
  path: string,
  size: { readonly width: number; readonly height: number } | undefined,
): Promise<GraphDescription> => {
  const session = await InferenceSession.create(path, { logSeverityLevel: 3 }).catch((cause: unknown) => {
    throw new FailedError(`${path} is no ONNX model that ONNX Runtime can open: ${(cause as Error).message}`, { cause })
  })
  try {
    const [input, ...others] = session.inputMetadata
    if (!input?.isTensor || others.length > 0)
      throw new FailedError(
        `${path} has ${others.length + 1} inputs (${session.inputNames.join(', ')}); Watchpost feeds one picture: export the model with the others fixed.`,
      )
    if (input.type !== 'float32')
      throw new FailedError(
        `Input "${input.name}" of ${path} is ${input.type}; Watchpost gives float32: export the model with a float32 input.`,
      )
    const described = inputOf(input.name, input.shape.map(fixedLength), size, path)
    return { input: described, outputs: await outputsOf(session, described, path) }
  } finally {
    await session.release()
  }
}

/** null: left open by the graph. */
const fixedLength = (length: number | string): number | null =>
  typeof length === 'number' && length > 0 ? length : null

const inputOf = (
  name: string,
  shape: readonly (number | null)[],
  size: { readonly width: number; readonly height: number } | undefined,
  path: string,
): GraphInput => {
  const shown = shape.map(length => length ?? '?').join('×')
  const layout = shape.length !== 4 ? undefined : shape[1] === 3 ? 'nchw' : shape[3] === 3 ? 'nhwc' : undefined
  if (layout === undefined || (shape[0] ?? 1) !== 1)
    throw new FailedError(
      `Input "${name}" of ${path} has the shape ${shown}; a picture is 1×3×height×width or 1×height×width×3: export the model that way.`,
    )
  const [height, width] = layout === 'nchw' ? [shape[2], shape[3]] : [shape[1], shape[2]]
  if (size && ((height && height !== size.height) || (width && width !== size.width)))
    throw new UsageError(
      `--size ${size.width}x${size.height} does not fit the input of ${path}, ${shown}; leave it out.`,
    )
  if (!size && !(height && width))
    throw new UsageError(
      `${path} takes pictures of any size (${shown}); say which with --size WIDTHxHEIGHT, e.g. 640x384.`,
    )
  return { name, layout, width: width ?? size!.width, height: height ?? size!.height }
}

const outputsOf = async (
  session: InferenceSession,
  { name, layout, width, height }: GraphInput,
  path: string,
): Promise<readonly GraphOutput[]> => {
  const shape = layout === 'nchw' ? [1, 3, height, width] : [1, height, width, 3]
  const blank = new Tensor('float32', new Float32Array(width * height * 3), shape)
  const results = await session.run({ [name]: blank }).catch((cause: unknown) => {
    throw new FailedError(`${path} does not run on a ${width}×${height} picture: ${(cause as Error).message}`, {
      cause,
    })
  })
  return session.outputNames.flatMap(output => {
    const tensor = results[output]!
    // Outputs of other types are left out of the manifest; a decoder that needs one says so.
    return tensor.type === 'float32' ? [{ name: output, shape: tensor.dims }] : []
  })
}
