import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { CaptureError } from './capture-error.js'
import type { Picture } from './picture-assembler.js'

const pictureName = /\.(jpe?g|png)$/i

/** Paths of the folder's pictures in the order of their names (`2.jpg` before `10.jpg`). Rejects when there is none. */
export const listPictures = async (folder: string): Promise<readonly string[]> => {
  const names = await readdir(folder).catch(cause => {
    throw new CaptureError('source-missing', {
      subject: folder,
      message: 'The folder cannot be read',
      hint: 'Check source.path (relative to the configuration file) and the rights of the agent.',
      cause,
    })
  })
  const pictures = names.filter(name => pictureName.test(name)).sort(byName)
  if (pictures.length > 0) return pictures.map(name => join(folder, name))
  throw new CaptureError('no-frames', {
    subject: folder,
    message: 'The folder holds no picture',
    hint: 'Put .jpg or .png files into it.',
  })
}

const byName = new Intl.Collator('en', { numeric: true }).compare

/** Decoded by sharp rather than ffmpeg: pictures of one folder may differ in size and kind, which ffmpeg's image reader refuses. */
export const readPicture = async (path: string, width: number): Promise<{ picture: Picture; bytes: number }> => {
  const image = sharp(path, { failOn: 'error' }).autoOrient()
  const metadata = await image.metadata()
  const { width: sourceWidth, height: sourceHeight } = metadata.autoOrient
  const height = Math.max(2, 2 * Math.round((width * sourceHeight) / sourceWidth / 2))
  const data = await image
    .flatten({ background: '#000' })
    .toColourspace('srgb')
    .resize(width, height, { fit: 'fill', kernel: 'cubic' })
    .removeAlpha()
    .raw()
    .toBuffer()
  const pixels = new Uint8Array(new SharedArrayBuffer(width * height * 3))
  pixels.set(data)
  return { picture: { width, height, pixels }, bytes: data.length }
}
