import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { type Static, Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import type { Box } from '@watchpost/shared/contracts/primitives'
import { FailedError } from '../command.js'
import type { DataSet, Sample, TrueBox } from './data-set.js'

const Key = Type.Union([Type.Number(), Type.String()])
/** What is read of COCO's format; everything else may stand there too. */
const Coco = Type.Object({
  images: Type.Array(
    Type.Object({
      id: Key,
      file_name: Type.String(),
      width: Type.Number({ exclusiveMinimum: 0 }),
      height: Type.Number({ exclusiveMinimum: 0 }),
    }),
  ),
  annotations: Type.Array(
    Type.Object({
      image_id: Key,
      category_id: Key,
      bbox: Type.Tuple([Type.Number(), Type.Number(), Type.Number(), Type.Number()]),
      iscrowd: Type.Optional(Type.Union([Type.Number(), Type.Boolean()])),
    }),
  ),
  categories: Type.Array(Type.Object({ id: Key, name: Type.String() })),
})
type Coco = Static<typeof Coco>

/** The JSON file of a COCO data set: in the folder or in its annotations/. */
export const findCoco = async (folder: string): Promise<string | undefined> => {
  const found: string[] = []
  for (const place of [folder, join(folder, 'annotations')])
    for (const name of (await readdir(place).catch(() => [])).filter(name => name.endsWith('.json')).toSorted()) {
      const text = await readFile(join(place, name), 'utf8')
      if (text.includes('"annotations"') && text.includes('"categories"')) found.push(join(place, name))
    }
  if (found.length > 1)
    throw new FailedError(
      `${folder} holds several COCO files (${found.join(', ')}); give the one you mean: --data FILE.json`,
    )
  return found[0]
}

const flat = 'annotations without width or height'

export const readCoco = async (file: string): Promise<DataSet> => {
  const coco = await parseCoco(file)
  const names = new Map(coco.categories.map(({ id, name }) => [id, name]))
  const leftOut: Record<string, number> = {}
  const leave = (reason: string): void => {
    leftOut[reason] = (leftOut[reason] ?? 0) + 1
  }
  const sizes = new Map(coco.images.map(image => [image.id, image]))
  const boxes = new Map<number | string, TrueBox[]>()
  for (const [i, { image_id, category_id, bbox, iscrowd }] of coco.annotations.entries()) {
    const image = sizes.get(image_id)
    const className = names.get(category_id)
    if (!image || className === undefined)
      throw new FailedError(
        `${file}: annotations[${i}] names the ${image ? `category ${category_id}` : `image ${image_id}`}, which is not listed; correct it there.`,
      )
    if (!(bbox[2] > 0 && bbox[3] > 0)) {
      leave(flat)
      continue
    }
    const box = { className, box: toFractions(bbox as Box, image) }
    const own = boxes.get(image_id) ?? []
    own.push(iscrowd ? { ...box, crowd: true } : box)
    boxes.set(image_id, own)
  }
  const samples = coco.images.flatMap(({ id, file_name }): Sample[] => {
    const path = findPicture(file, file_name)
    const own = boxes.get(id) ?? []
    if (path) return [{ path, boxes: own, shows: [...new Set(own.map(({ className }) => className))] }]
    leave('pictures that are listed but not there')
    return []
  })
  if (samples.length === 0 && coco.images.length > 0)
    throw new FailedError(
      `None of the ${coco.images.length} pictures of ${file} is there (first: ${coco.images[0]!.file_name}); they are looked for beside the file and in images/, in either also in ${splitOf(file)}/.`,
    )
  const numbers = new Map(coco.categories.map(({ id, name }) => [Number(id), name]))
  return { layout: 'coco', classes: coco.categories.map(({ name }) => name), named: true, numbers, samples, leftOut }
}

const parseCoco = async (file: string): Promise<Coco> => {
  const text = await readFile(file, 'utf8')
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch (cause) {
    throw new FailedError(`${file} is not JSON: ${(cause as Error).message}`, { cause })
  }
  if (Value.Check(Coco, parsed)) return parsed
  const first = Value.Errors(Coco, parsed).First()
  throw new FailedError(`${file} is not in COCO's format: ${first?.path} ${first?.message.toLowerCase()}.`)
}

const toFractions = ([x, y, w, h]: Box, { width, height }: Coco['images'][number]): Box => [
  x / width,
  y / height,
  w / width,
  h / height,
]

/** `annotations/instances_val2017.json` is about the pictures in `val2017/`. */
const splitOf = (file: string): string => basename(file, '.json').split('_').at(-1)!

const findPicture = (file: string, name: string): string | undefined =>
  [dirname(file), join(dirname(file), '..')]
    .flatMap(folder => [folder, join(folder, 'images')])
    .flatMap(folder => [join(folder, name), join(folder, splitOf(file), name)])
    .find(path => existsSync(path))
