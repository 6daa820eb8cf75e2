import sharp from 'sharp'
import { createDecode } from '@watchpost/edge/inference/decoders/decoder-options'
import type { Decoded } from '@watchpost/edge/inference/inference-result'
import type { ModelPackage } from '@watchpost/edge/inference/model-package'
import type { ModelSession } from '@watchpost/edge/inference/model-runtime'
import { createPreprocess } from '@watchpost/edge/inference/preprocess/preprocess'
import type { Tensors } from '@watchpost/edge/inference/tensor'
import { FailedError } from './command.js'

export interface Picture {
  readonly width: number
  readonly height: number
  readonly pixels: Uint8Array
}

const pictureNames = /\.(jpe?g|png|webp|bmp|tiff?)$/i
export const isPictureName = (name: string): boolean => pictureNames.test(name)

/** RGB, turned upright as its EXIF says: that is how people saw it when they drew boxes. */
export const readUpright = async (path: string): Promise<Picture> => {
  try {
    const { data, info } = await sharp(path)
      .autoOrient()
      .removeAlpha()
      .toColourspace('srgb')
      .raw()
      .toBuffer({ resolveWithObject: true })
    return { width: info.width, height: info.height, pixels: data }
  } catch (cause) {
    throw new FailedError(
      `${path} is no picture that can be read (${(cause as Error).message}); remove or replace it.`,
      {
        cause,
      },
    )
  }
}

export interface Answer {
  readonly outputs: Tensors
  readonly decoded: Decoded
}

/** Preparation, runtime and decoder of the agent, with the tensors in between. Outputs are valid until the next run. */
export const createRun = (
  { manifest }: ModelPackage,
  session: ModelSession,
): ((picture: Picture) => Promise<Answer>) => {
  const decode = createDecode(manifest)
  return async ({ width, height, pixels }) => {
    const { geometry, values, fill } = createPreprocess(manifest.input, width, height)
    const input = new Float32Array(values)
    fill(pixels, input)
    const outputs = await session.run(input, { cameraId: 'model', number: 1, takenAt: 0 })
    return { outputs, decoded: decode(outputs, geometry) }
  }
}
