import { existsSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import { FailedError } from '../command.js'
import { type DataSet, maskClass, type Sample } from './data-set.js'
import { picturesUnder, twinFolder, withoutExtension } from './walk.js'

/** Pictures in `images/` and, by the same name, PNGs in `masks/` in which 255 is the thing. */
export const readMasks = async (folder: string): Promise<DataSet> => {
  const pictures = await picturesUnder(join(folder, 'images'))
  const samples: Sample[] = []
  let without = 0
  for (const path of pictures) {
    const stem = withoutExtension(twinFolder(path, 'images', 'masks')!)
    const maskPath = [`${stem}.png`, `${stem}.PNG`].find(path => existsSync(path))
    if (maskPath) samples.push({ path, boxes: [], shows: [], maskPath })
    else without++
  }
  const leftOut: Record<string, number> = without > 0 ? { 'pictures without a mask': without } : {}
  if (samples.length === 0 && pictures.length > 0)
    throw new FailedError(`No picture of ${folder}/images has a mask; a mask is masks/NAME.png for images/NAME.jpg.`)
  return { layout: 'masks', classes: [maskClass], named: true, samples, leftOut }
}

export interface Mask {
  readonly width: number
  readonly height: number
  /** 1 where the thing is. */
  readonly pixels: Uint8Array
}

export const readMask = async (path: string): Promise<Mask> => {
  const { data, info } = await sharp(path)
    .removeAlpha()
    .toColourspace('b-w')
    .raw()
    .toBuffer({ resolveWithObject: true })
    .catch((cause: unknown) => {
      throw new FailedError(`${path} is no mask that can be read: ${(cause as Error).message}`, { cause })
    })
  const pixels = new Uint8Array(info.width * info.height)
  let highest = 0
  for (let i = 0; i < pixels.length; i++) {
    const value = data[i * info.channels]!
    if (value > highest) highest = value
    pixels[i] = value > 127 ? 1 : 0
  }
  if (highest > 0 && highest < 128)
    throw new FailedError(`${path} has no value above ${highest}; in a mask 255 is the thing and 0 is not: convert it.`)
  return { width: info.width, height: info.height, pixels }
}

/** Reduced to another size: a pixel counts when more than half of what it covers does. */
export const reduceMask = (mask: Mask, width: number, height: number): Mask => {
  const [columns, rows] = [overlaps(mask.width, width), overlaps(mask.height, height)]
  const pixels = new Uint8Array(width * height)
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      let sum = 0
      let area = 0
      for (const [row, high] of rows[y]!)
        for (const [column, wide] of columns[x]!) {
          sum += mask.pixels[row * mask.width + column]! * high * wide
          area += high * wide
        }
      pixels[y * width + x] = sum * 2 > area ? 1 : 0
    }
  return { width, height, pixels }
}

/** For each of `to` pixels along an axis: which of the `from` pixels it covers, and how much of each. */
const overlaps = (from: number, to: number): readonly (readonly (readonly [number, number])[])[] =>
  Array.from({ length: to }, (_, i) => {
    const [begin, end] = [(i * from) / to, ((i + 1) * from) / to]
    const covered: [number, number][] = []
    for (let at = Math.floor(begin); at < end && at < from; at++)
      covered.push([at, Math.min(at + 1, end) - Math.max(at, begin)])
    return covered.filter(([, share]) => share > 1e-9)
  })
