import { symlinkSync } from 'node:fs'
import { basename, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { DataSet } from '../../scripts/model/data/data-set.js'
import { readMask } from '../../scripts/model/data/masks.js'
import { readData, readNegatives } from '../../scripts/model/data/read-data.js'
import { plain, png, workFolder, writeFiles } from './run-model.js'

const picture = await plain(0, 0)
const options = { prefer: 'boxes', layout: undefined, classNames: undefined } as const

const refusal = (attempt: Promise<unknown>): Promise<string> =>
  attempt.then(
    () => 'accepted',
    (error: Error) => error.message,
  )

const read = (files: Readonly<Record<string, string | Uint8Array>>, changes: object = {}) => {
  const folder = workFolder()
  writeFiles(folder, files)
  return readData(folder, { ...options, ...changes })
}

const boxesOf = ({ samples }: DataSet) =>
  Object.fromEntries(
    samples.map(({ path, boxes }) => [
      path.split('/').at(-1),
      boxes.map(({ className, box }) => [className, ...box.map(value => Math.round(value * 1e4) / 1e4)]),
    ]),
  )

describe('YOLO data', () => {
  it('is read from images/ and labels/, with names, empty files and polygons', async () => {
    const data = await read({
      'images/a.png': picture,
      'images/b.png': picture,
      'images/c.png': picture,
      'images/deep/d.png': picture,
      'labels/a.txt': '1 0.5 0.5 0.2 0.4\n0 0.1 0.1 0.2 0.2\n',
      'labels/b.txt': '',
      'labels/lost.txt': '0 0.5 0.5 0.1 0.1',
      'labels/deep/d.txt': '0 0.1 0.2 0.5 0.2 0.3 0.6\r\n',
      'classes.txt': 'flame\nsmoke\n',
    })
    expect(data).toMatchObject({ layout: 'yolo', named: true, classes: ['flame', 'smoke'] })
    expect(boxesOf(data)).toEqual({
      'a.png': [
        ['smoke', 0.4, 0.3, 0.2, 0.4],
        ['flame', 0, 0, 0.2, 0.2],
      ],
      'b.png': [],
      'd.png': [['flame', 0.1, 0.2, 0.4, 0.4]],
    })
    // c has no label file: unknown is not the same as nothing.
    expect(Object.values(data.leftOut)).toEqual([1, 1])
    expect(data.leftOut['label files without a picture']).toBe(1)
    expect(data.samples[0]!.shows).toEqual(['smoke', 'flame'])
  })

  it('is read side by side, with names from data.yaml as list or by number', async () => {
    const files = { 'a.png': picture, 'a.txt': '2 0.5 0.5 1 1' }
    const list = await read({ ...files, 'data.yaml': 'names: [car, bus, truck]\ntrain: x' })
    const numbered = await read({ ...files, 'data.yaml': 'names:\n  0: car\n  2: truck\n' })
    for (const data of [list, numbered]) expect(boxesOf(data)).toEqual({ 'a.png': [['truck', 0, 0, 1, 1]] })
    const unnamed = await read(files)
    expect(unnamed).toMatchObject({ named: false, classes: ['0', '1', '2'] })
  })

  it('is refused with file, line and what to write', async () => {
    const wrong = (line: string, more: Readonly<Record<string, string>> = {}) =>
      refusal(read({ 'images/a.png': picture, 'labels/a.txt': `0 0.5 0.5 0.1 0.1\n${line}\n`, ...more }))
    expect(await wrong('smoke 0.5 0.5 0.1 0.1')).toMatch(
      /labels\/a.txt:2: "smoke 0.5 0.5 0.1 0.1" is not understood; a line is/,
    )
    expect(await wrong('0 320 240 64 48')).toMatch(/a.txt:2: .* is in pixels or lies outside the picture/)
    expect(await wrong('0 0.5 0.5 0.1')).toMatch(/has 3 numbers behind the class; there must be 4/)
    expect(await wrong('0 0.5 0.5 0.1 0.1 0.9')).toMatch(/has 5 numbers/)
    expect(await wrong('7 0.5 0.5 0.1 0.1', { 'classes.txt': 'a\nb\n' })).toMatch(
      /has the class 7, but only 2 classes are named/,
    )
  })
})

describe('COCO data', () => {
  const coco = {
    images: [
      { id: 1, file_name: 'a.png', width: 640, height: 320 },
      { id: 2, file_name: 'gone.png', width: 640, height: 320 },
    ],
    annotations: [
      { image_id: 1, category_id: 7, bbox: [64, 32, 320, 160], extra: true },
      { image_id: 1, category_id: 7, bbox: [0, 0, 0, 5] },
      { image_id: 1, category_id: 9, bbox: [0, 0, 5, 5], iscrowd: 1 },
    ],
    categories: [
      { id: 7, name: 'smoke' },
      { id: 9, name: 'flame' },
    ],
  }

  it('is read with boxes as shares, pictures in images/, and everything left out counted', async () => {
    const data = await read({ 'annotations/all.json': JSON.stringify(coco), 'images/a.png': picture })
    expect(data).toMatchObject({ layout: 'coco', classes: ['smoke', 'flame'] })
    expect(boxesOf(data)).toEqual({
      'a.png': [
        ['smoke', 0.1, 0.1, 0.5, 0.5],
        ['flame', 0, 0, 0.0078, 0.0156],
      ],
    })
    // A crowd is shown, though nothing in it is drawn one by one.
    expect(data.samples[0]).toMatchObject({ shows: ['smoke', 'flame'], boxes: [{}, { crowd: true }] })
    expect(data.leftOut).toEqual({
      'annotations without width or height': 1,
      'pictures that are listed but not there': 1,
    })
  })

  it('finds pictures where COCO itself puts them, in the folder of the split', async () => {
    const text = JSON.stringify({ ...coco, images: coco.images.slice(0, 1) })
    for (const place of ['val2017/a.png', 'images/val2017/a.png']) {
      const data = await read({ 'annotations/instances_val2017.json': text, [place]: picture })
      expect(data.samples.map(({ path }) => path.endsWith(place))).toEqual([true])
    }
  })

  it('is refused with the place that is wrong', async () => {
    const file = (changes: object) => ({ 'a.json': JSON.stringify({ ...coco, ...changes }), 'a.png': picture })
    const stray = [{ image_id: 5, category_id: 7, bbox: [0, 0, 1, 1] }]
    expect(await refusal(read(file({ annotations: stray })))).toMatch(
      /annotations\[0\] names the image 5, which is not listed/,
    )
    expect(await refusal(read(file({ categories: [{ id: 7 }] })))).toMatch(
      /not in COCO's format: \/categories\/0\/name/,
    )
    expect(await refusal(read({ 'a.json': JSON.stringify(coco) }))).toMatch(
      /None of the 2 pictures .* is there \(first: a.png\)/,
    )
    expect(await refusal(read({ ...file({}), 'b.json': JSON.stringify(coco) }))).toMatch(/several COCO files/)
    expect(await refusal(read({ 'a.json': '"annotations" "categories"' }))).toMatch(/is not JSON/)
  })
})

describe('mask data', () => {
  it('is read by the names of pictures, and masks by their value', async () => {
    const mask = await png(x => (x < 16 ? [255, 255, 255] : [0, 0, 0]))
    const folder = workFolder()
    writeFiles(folder, { 'images/a.jpg': picture, 'images/b.jpg': picture, 'masks/a.png': mask })
    const data = await readData(folder, options)
    expect(data).toMatchObject({ layout: 'masks', leftOut: { 'pictures without a mask': 1 } })
    const { width, height, pixels } = await readMask(data.samples[0]!.maskPath!)
    expect([width, height, pixels.reduce((sum, value) => sum + value, 0)]).toEqual([64, 32, 16 * 32])
  })

  it('is read behind links, and round in a circle no link is followed', async () => {
    const [folder, elsewhere] = [workFolder(), workFolder()]
    writeFiles(elsewhere, { 'a.jpg': picture })
    writeFiles(folder, { 'masks/a.PNG': await plain(1, 1) })
    symlinkSync(elsewhere, join(folder, 'images'))
    symlinkSync(folder, join(folder, 'masks/again'))
    expect((await readData(folder, options)).samples.map(({ maskPath }) => basename(maskPath!))).toEqual(['a.PNG'])
  })

  it('is preferred to boxes where the model gives a mask', async () => {
    const files = { 'images/a.png': picture, 'masks/a.png': picture, 'labels/a.txt': '', 'classes.txt': 'water' }
    expect((await read(files)).layout).toBe('yolo')
    expect((await read(files, { prefer: 'masks' })).layout).toBe('masks')
    expect((await read(files, { layout: 'masks' })).layout).toBe('masks')
  })

  it('is refused when masks hold class numbers instead of 255, or belong to no picture', async () => {
    const folder = workFolder()
    writeFiles(folder, { 'm.png': await png(() => [1, 1, 1]) })
    expect(await refusal(readMask(join(folder, 'm.png')))).toMatch(
      /no value above 1; in a mask 255 is the thing .*: convert it/,
    )
    expect(await refusal(read({ 'images/a.png': picture, 'masks/b.png': picture }))).toMatch(
      /No picture of .* has a mask/,
    )
  })
})

describe('data in train/, val/ and test/', () => {
  const coco = (category: number, name: string) =>
    JSON.stringify({
      images: [{ id: 1, file_name: 'a.png', width: 64, height: 32 }],
      annotations: [{ image_id: 1, category_id: category, bbox: [0, 0, 32, 32] }],
      categories: [{ id: category, name }],
    })

  it('is one set, in whichever layout its parts are', async () => {
    const masks = { 'masks/a.png': await plain(1, 1), 'images/a.png': picture }
    const inBoth = (files: Readonly<Record<string, string | Uint8Array>>) =>
      Object.fromEntries(
        ['train', 'valid'].flatMap(split =>
          Object.entries(files).map(([path, content]): [string, string | Uint8Array] => [`${split}/${path}`, content]),
        ),
      )
    const found = async (files: Readonly<Record<string, string | Uint8Array>>, changes = {}) => {
      const { layout, classes, samples } = await read(inBoth(files), changes)
      return [layout, classes, samples.length]
    }
    expect(await found(masks)).toEqual(['masks', ['mask'], 2])
    expect(await found({ ...masks, 'labels/a.txt': '' }, { prefer: 'masks' })).toEqual(['masks', ['mask'], 2])
    expect(await found({ 'fire/a.png': picture, 'none/b.png': picture })).toEqual(['classes', ['fire', 'none'], 4])
    expect(await found({ '_annotations.coco.json': coco(1, 'smoke'), 'a.png': picture })).toEqual([
      'coco',
      ['smoke'],
      2,
    ])
    expect(await found({ 'images/a.png': picture, 'labels/a.txt': '0 0.5 0.5 1 1' })).toEqual(['yolo', ['0'], 2])
  })

  it('is refused when the parts differ, or are no parts of one set', async () => {
    const mixed = { 'train/fire/a.png': picture, 'val/images/a.png': picture, 'val/masks/a.png': picture }
    expect(await refusal(read(mixed))).toMatch(/laid out differently \(classes, masks\); give one of them/)
    const sets = { 'canal/images/a.png': picture, 'canal/masks/a.png': picture, 'dry/b.png': picture }
    expect(await refusal(read(sets))).toMatch(/canal is laid out as a data set of its own/)
  })

  it('numbers classes by the ids of the COCO files, where these agree', async () => {
    const files = (id: number) => ({
      'train/_annotations.coco.json': coco(3, 'car'),
      'train/a.png': picture,
      'val/_annotations.coco.json': coco(id, 'car'),
      'val/a.png': picture,
    })
    expect((await read(files(3))).numbers).toEqual(new Map([[3, 'car']]))
    expect((await read(files(4))).numbers).toEqual(new Map())
  })
})

describe('other data', () => {
  it('of a folder per class says what each picture shows', async () => {
    const data = await read({ 'smoke/a.png': picture, 'none/b.png': picture, 'none/c.png': picture })
    expect(data).toMatchObject({ layout: 'classes', classes: ['none', 'smoke'] })
    expect(data.samples.map(({ shows }) => shows)).toEqual([['none'], ['none'], ['smoke']])
  })

  it('that says nothing about its pictures is refused with the layouts that are known', async () => {
    expect(await refusal(read({ 'a.png': picture }))).toMatch(
      /holds 1 pictures but nothing says what they show; expected are/,
    )
    expect(await refusal(read({ 'readme.md': 'x' }))).toMatch(/holds no pictures; expected are/)
    expect(await refusal(readData(join(workFolder(), 'none'), options))).toMatch(/does not exist/)
    expect(await refusal(read({ 'images/a.png': picture, 'labels/b.txt': '' }))).toMatch(
      /no picture that can be judged \(1 pictures without a label file/,
    )
  })

  it('without any of the labels is taken as it is, whatever lies beside it', async () => {
    const folder = workFolder()
    writeFiles(folder, { 'images/a.png': picture, 'labels/a.txt': '0 0.5 0.5 1 1', 'x/b.jpg': picture })
    expect((await readNegatives(folder)).map(({ shows, boxes }) => [shows, boxes])).toEqual([
      [[], []],
      [[], []],
    ])
    expect(await refusal(readNegatives(join(folder, 'labels')))).toMatch(/holds no pictures/)
  })
})
