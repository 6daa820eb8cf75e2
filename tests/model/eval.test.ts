import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { writeDetector, writePackage } from '../edge/inference/packages.js'
import { model, modelJson, plain, png, workFolder, writeFiles } from './run-model.js'

interface Figures {
  readonly images: number
  readonly iou: number | null
  readonly labels: Readonly<
    Record<
      string,
      {
        readonly ap50: number | null
        readonly auc: number | null
        readonly recallAtFpr: Readonly<Record<string, number | null>>
        readonly iou: number | null
        readonly shown: number
        readonly notShown: number
        readonly prUnit: string
        readonly asReported: { readonly precision: number | null; readonly recall: number | null }
        readonly recallByHeight: readonly object[]
      }
    >
  >
}

/** The model of means scores smoke by red and flame by blue: the figures can be reckoned by hand. */
const smokeSet = async (folder: string): Promise<void> => {
  const files: Record<string, string | Uint8Array> = { 'data/classes.txt': 'flame\nsmoke\n' }
  const reds = { a: 0.9, b: 0.4, c: 0.6, d: 0.2 }
  for (const [name, red] of Object.entries(reds)) {
    files[`data/images/${name}.png`] = await plain(red, 0.1)
    // a and b show smoke in their left half; c and d show nothing.
    files[`data/labels/${name}.txt`] = name < 'c' ? '1 0.25 0.5 0.5 1\n' : ''
  }
  writeFiles(folder, files)
}

describe('model eval', () => {
  it('gives AUC, recall and IoU of a grid, reckoned by hand', { timeout: 240_000 }, async () => {
    const folder = workFolder()
    await smokeSet(folder)
    const found = await modelJson<Figures>(folder, ['eval', writePackage(), '--data', 'data'])
    expect(found.images).toBe(4)
    const { smoke, flame } = found.labels
    // 0.9 beats 0.6 and 0.2, 0.4 beats 0.2 only.
    expect(smoke).toMatchObject({
      ap50: null,
      auc: 0.75,
      recallAtFpr: { '0.01': 0.5, '0.05': 0.5 },
      shown: 2,
      notShown: 2,
    })
    // At 0.5 all cells of a and c are found, b's true half is missed: both 4, either 8 + 4 + 8.
    expect(smoke!.iou).toBeCloseTo(4 / 20, 9)
    expect(smoke!.asReported).toMatchObject({ precision: 0.5, recall: 0.5 })
    expect(flame).toMatchObject({ auc: null, iou: null, shown: 0, notShown: 4 })
  })

  it('adds negatives, of which none shows anything', { timeout: 240_000 }, async () => {
    const folder = workFolder()
    await smokeSet(folder)
    writeFiles(folder, { 'sky/x.png': await plain(0.95, 0), 'sea/y.png': await plain(0, 0) })
    const args = ['eval', writePackage(), '--data', 'data', '--negatives', 'sky', '--negatives', 'sea']
    const { images, labels } = await modelJson<Figures>(folder, args)
    expect(images).toBe(6)
    // Against 0.6, 0.2, 0.95, 0: 0.9 beats three of four, 0.4 two.
    expect(labels.smoke).toMatchObject({ auc: 5 / 8, recallAtFpr: { '0.01': 0 }, shown: 2, notShown: 4 })
  })

  it('maps labels to classes by name, number and in groups, and says what to write otherwise', {
    timeout: 240_000,
  }, async () => {
    const folder = workFolder()
    await smokeSet(folder)
    const means = writePackage()
    const grouped = await modelJson<Figures>(folder, ['eval', means, '--data', 'data', '--map', 'smoke+flame=smoke'])
    expect(Object.keys(grouped.labels)).toEqual(['smoke+flame'])
    rmSync(join(folder, 'data/classes.txt'))
    const numbered = await modelJson<Figures>(folder, ['eval', means, '--data', 'data', '--map', 'smoke=1,flame=0'])
    expect(numbered.labels.smoke!.auc).toBe(0.75)
    const unmapped = await model(folder, 'eval', means, '--data', 'data')
    expect(unmapped.code).toBe(2)
    expect(unmapped.stderr).toMatch(
      /class numbers but no names \(0, 1\); say which is which with --map, e.g. --map smoke=0,flame=1/,
    )
    const wrong = await model(folder, 'eval', means, '--data', 'data', '--map', 'fog=1')
    expect([wrong.code, wrong.stderr]).toEqual([
      2,
      expect.stringMatching(/label "fog", which the package does not report; it reports smoke, flame/),
    ])
    const twice = await model(folder, 'eval', means, '--data', 'data', '--map', 'smoke=0,smoke=1')
    expect([twice.code, twice.stderr]).toEqual([2, expect.stringMatching(/"smoke" twice; .*: smoke=CLASS\+CLASS/)])
  })

  it('takes the numbers of COCO for the ids that its file gives', { timeout: 240_000 }, async () => {
    const folder = workFolder()
    writeFiles(folder, {
      'data/a.png': await plain(0.9, 0),
      'data/b.png': await plain(0.1, 0),
      'data/all.json': JSON.stringify({
        images: ['a.png', 'b.png'].map((file_name, id) => ({ id, file_name, width: 64, height: 32 })),
        annotations: [{ image_id: 0, category_id: 1, bbox: [0, 0, 64, 32] }],
        categories: [
          { id: 5, name: 'cloud' },
          { id: 1, name: 'plume' },
        ],
      }),
    })
    const { labels } = await modelJson<Figures>(folder, ['eval', writePackage(), '--data', 'data', '--map', 'smoke=1'])
    expect(labels.smoke).toMatchObject({ auc: 1, shown: 1, notShown: 1 })
    const none = await model(folder, 'eval', writePackage(), '--data', 'data', '--map', 'smoke=0')
    expect(none.stderr).toMatch(/class "0", which the data does not have; it has cloud, plume/)
  })

  it('draws the worst pictures, and none when nothing is wrong', { timeout: 240_000 }, async () => {
    const folder = workFolder()
    await smokeSet(folder)
    const means = writePackage()
    const args = ['eval', means, '--data', 'data', '--worst', 'out/worst.png', '--worst-count', '3']
    expect(await modelJson(folder, args)).toMatchObject({ worst: { pictures: 3 } })
    const { width, height, format } = await sharp(join(folder, 'out/worst.png')).metadata()
    expect([width, height, format]).toEqual([960, 308, 'png'])
    writeFiles(folder, { 'fine/smoke/a.png': await plain(1, 0), 'fine/none/b.png': await plain(0, 0) })
    const fine = await model(folder, 'eval', means, '--data', 'fine', '--map', 'smoke=smoke', '--worst', 'fine.png')
    expect(fine.code).toBe(0)
    expect(fine.stderr).toMatch(/fine.png is not written: no picture has anything wrong/)
    expect(existsSync(join(folder, 'fine.png'))).toBe(false)
  })

  it('measures masks by their pixels, with negatives that show none', { timeout: 240_000 }, async () => {
    const folder = workFolder()
    const water = writePackage({
      task: 'water-segmentation',
      labels: ['water', 'sky'],
      decoder: { name: 'segmentation', label: 'water' },
    })
    // The left half is red, so found; the mask covers the left three quarters.
    const half = await png(x => (x < 32 ? [255, 0, 0] : [0, 0, 0]))
    const truth = await png(x => (x < 48 ? [255, 255, 255] : [0, 0, 0]))
    writeFiles(folder, { 'data/images/a.png': half, 'data/masks/a.png': truth })
    const alone = await modelJson<Figures>(folder, ['eval', water, '--data', 'data'])
    expect(alone).toMatchObject({ images: 1, iou: 2 / 3 })
    expect(alone.labels.water).toMatchObject({
      auc: null,
      iou: 2 / 3,
      prUnit: 'pixels',
      asReported: { precision: 1, recall: 2 / 3 },
    })
    writeFiles(folder, { 'dry/b.png': await plain(0, 1), 'dry/c.png': half })
    const both = await modelJson<Figures>(folder, ['eval', water, '--data', 'data', '--negatives', 'dry'])
    // b has share 0 and c the same share as a: one and a half of two; c's false half counts against the IoU.
    expect(both.labels.water).toMatchObject({ auc: 0.75, recallAtFpr: { '0.05': 0 }, iou: 4 / 10 })
    expect(both.labels.water).toMatchObject({ asReported: { precision: 1 / 2, recall: 2 / 3 } })
  })

  it('measures boxes of a detector', { timeout: 240_000 }, async () => {
    const folder = workFolder()
    // YOLOX head of one label over 64×64: 84 cells, of which only those of stride 32 say something, by the mean of red.
    const detector = writeDetector()
    const half = await png(x => (x < 32 ? [255, 0, 0] : [0, 0, 0]), 64, 64)
    const dark = await png(() => [0, 0, 0], 64, 64)
    writeFiles(folder, {
      'data/classes.txt': 'car',
      'data/images/a.png': half,
      // Cells of the left column are found: the upper one is true, the lower one not; one more box is never found.
      'data/labels/a.txt': '0 0.25 0.25 0.5 0.5\n0 0.75 0.75 0.5 0.5\n',
      'data/images/b.png': dark,
      'data/labels/b.txt': '',
    })
    const { labels, iou } = await modelJson<Figures>(folder, ['eval', detector, '--data', 'data'])
    expect(labels.car).toMatchObject({
      auc: 1,
      recallAtFpr: { '0.01': 1 },
      asReported: { precision: 0.5, recall: 0.5 },
    })
    // Of 32 of the 64 rows each.
    const none = { boxes: 0, asReported: null, at025: null }
    expect(labels.car!.recallByHeight).toEqual([
      { fromPx: 0, belowPx: 20, ...none },
      { fromPx: 20, belowPx: 40, boxes: 2, asReported: 0.5, at025: 0.5 },
      { fromPx: 40, belowPx: null, ...none },
    ])
    const { stdout } = await model(folder, 'eval', detector, '--data', 'data', '--merge-riders')
    expect(stdout).toMatch(/car +0 to 20 px +0/)
    expect(stdout).toMatch(/20 to 40 px +2 +0.500 +0.500/)
    // Two equally sure boxes, the right one first in the order of cells: half the recall at full precision.
    expect(labels.car!.ap50).toBe(0.5)
    expect(iou).toBeCloseTo(1, 5)
  })

  it('says what is wrong with its arguments', { timeout: 240_000 }, async () => {
    const folder = workFolder()
    const means = writePackage()
    const said = async (...args: readonly string[]) => {
      const { code, stderr } = await model(folder, 'eval', ...args)
      return [code, stderr.split('\n')[0]]
    }
    expect(await said(means)).toEqual([2, 'error: Give labelled pictures with --data DIR.'])
    expect(await said(means, '--data', 'none')).toEqual([1, expect.stringMatching(/--data .*none does not exist/)])
    expect(await said(means, '--data', '.', '--layout', 'voc')).toEqual([
      2,
      'error: --layout is "voc"; it can be yolo, coco, masks, classes.',
    ])
    expect(await said('nowhere', '--data', '.')).toEqual([
      1,
      expect.stringMatching(/nowhere does not exist; give a package folder/),
    ])
    expect((await said(means, '--dat', '.'))[0]).toBe(2)
  })
})
