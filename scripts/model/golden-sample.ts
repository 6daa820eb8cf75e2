import { mkdir, writeFile } from 'node:fs/promises'
import { basename, dirname, extname, join } from 'node:path'
import type { Answer } from '@watchpost/edge/inference/open-model'
import type { Tensor } from '@watchpost/edge/inference/tensor'
import type { ModelManifest } from '@watchpost/shared/manifest/model-manifest'
import sharp from 'sharp'
import { FailedError } from './command.js'
import { type RunPicture, readUpright } from './run-picture.js'

export type GoldenEntry = ModelManifest['golden'][number]

/** So many values of an output are kept; more say nothing more. */
const mostValues = 4096
/** Cameras give no more to a model; a larger picture only makes the package larger. */
const longestSidePixels = 1280

/** Runs a picture and writes `golden/NAME.png` and `golden/NAME.json` into the package folder. */
export const writeGolden = async (
  folder: string,
  picturePath: string,
  taken: ReadonlySet<string>,
  run: RunPicture,
): Promise<GoldenEntry> => {
  const name = freeName(picturePath, taken)
  const image = `golden/${name}.png`
  const expected = `golden/${name}.json`
  const picture = await readUpright(picturePath)
  const target = join(folder, image)
  await mkdir(dirname(target), { recursive: true })
  await sharp(picture.pixels, { raw: { width: picture.width, height: picture.height, channels: 3 } })
    .resize(longestSidePixels, longestSidePixels, { fit: 'inside', withoutEnlargement: true })
    .png({ compressionLevel: 9 })
    .toFile(target)
  // From the stored picture: it may be smaller than the one given.
  const answer = await run(await readUpright(target))
  await writeFile(join(folder, expected), `${JSON.stringify(expectationOf(answer))}\n`)
  return { image, expected }
}

const freeName = (picturePath: string, taken: ReadonlySet<string>): string => {
  const stem = basename(picturePath, extname(picturePath))
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
  const name = stem === '' ? 'sample' : stem
  if (taken.has(`golden/${name}.png`))
    throw new FailedError(`There is a golden sample "${name}" already; rename ${picturePath} or remove the old sample.`)
  return name
}

/** Boxes for detectors, whose raw outputs are long and mean little; sampled outputs for the others. */
const expectationOf = ({ decoded, outputs }: Answer): object => {
  if (decoded.kind === 'detections')
    return {
      detections: decoded.detections.map(({ label, confidence, box }) => ({
        label,
        confidence: rounded(confidence),
        box: box.map(rounded),
      })),
    }
  return {
    outputs: Object.fromEntries(
      Object.entries(outputs).map(([name, tensor]) => {
        const stride = strideOf(tensor)
        return [name, { shape: tensor.shape, values: sampled(tensor, stride), ...(stride > 1 ? { stride } : {}) }]
      }),
    ),
  }
}

const rounded = (value: number): number => Math.round(value * 1e5) / 1e5

const strideOf = (tensor: Tensor): number => {
  for (let stride = 1; ; stride++) if (sampledCount(tensor, stride) <= mostValues) return stride
}

const lastTwo = ({ shape }: Tensor): readonly [number, number] => [shape.at(-2) ?? 1, shape.at(-1) ?? 1]

const sampledCount = (tensor: Tensor, stride: number): number => {
  const [rows, columns] = lastTwo(tensor)
  return (tensor.data.length / (rows * columns)) * Math.ceil(rows / stride) * Math.ceil(columns / stride)
}

const sampled = (tensor: Tensor, stride: number): readonly number[] => {
  const [rows, columns] = lastTwo(tensor)
  const values: number[] = []
  for (let plane = 0; plane < tensor.data.length; plane += rows * columns)
    for (let row = 0; row < rows; row += stride)
      for (let column = 0; column < columns; column += stride)
        values.push(rounded(tensor.data[plane + row * columns + column]!))
  return values
}
