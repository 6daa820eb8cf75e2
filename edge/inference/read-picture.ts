import type { Picture } from './open-model.js'

/** PNG or JPEG as RGB. sharp is loaded only here: a worker without golden samples never needs it. */
export const readPicture = async (path: string): Promise<Picture> => {
  const { default: sharp } = await import('sharp')
  const { data, info } = await sharp(path)
    .removeAlpha()
    .toColourspace('srgb')
    .raw()
    .toBuffer({ resolveWithObject: true })
  return { width: info.width, height: info.height, pixels: data }
}
