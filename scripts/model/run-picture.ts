import type { ModelPackage } from '@watchpost/edge/inference/model-package'
import type { ModelSession } from '@watchpost/edge/inference/model-runtime'
import { type Answer, createAnswer, type Picture } from '@watchpost/edge/inference/open-model'
import sharp from 'sharp'
import { FailedError } from './command.js'

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

export type RunPicture = (picture: Picture) => Promise<Answer>

/** A model as the agent runs it, for pictures of no camera. */
export const createRun = (model: ModelPackage, session: ModelSession): RunPicture => {
  const answer = createAnswer(model, session)
  return picture => answer({ cameraId: 'model', number: 1, takenAt: 0, ...picture })
}
