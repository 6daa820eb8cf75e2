import { copyFileSync, cpSync, existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Box } from '@watchpost/shared/contracts/primitives'
import { describe, expect, it } from 'vitest'
import { checkGolden } from '../../../edge/inference/golden.js'
import { loadModelPackage, type ModelPackage } from '../../../edge/inference/model-package.js'
import { openModel } from '../../../edge/inference/open-model.js'
import { readPicture } from '../../../edge/inference/read-picture.js'
import { onnxRuntime } from '../../../edge/inference/runtimes/onnx/onnx-runtime.js'
import { averagePrecision, type Judged } from './average-precision.js'
import { temporaryFolder } from './packages.js'

// Photographs are no part of the repository: see models/vehicles/CARD.md for the sets and where they come from.
const root = fileURLToPath(new URL('../../../', import.meta.url))
const data = [process.env.WATCHPOST_TEST_DATA, join(root, '../shared/data')].find(
  folder => folder !== undefined && existsSync(join(folder, 'coco-mini')),
)
const why = 'no photographs here: set WATCHPOST_TEST_DATA to a folder with coco-mini/ and traffic/'
const yoloxWeights = data && join(data, 'models/yolox-nano-416.onnx')

/** Enough to notice a broken detector or decoder; 20 s on an idle machine. */
const picturesPerSet = 48

/** What counts as one thing: labels of the detector, and class numbers in the files of a set. */
interface Meant {
  readonly labels: readonly string[]
  readonly kinds: readonly number[]
}
const persons: Meant = { labels: ['person'], kinds: [0] }
const vehicles = (kinds: readonly number[]): Meant => ({ labels: ['car', 'bus', 'truck'], kinds })

/** Average precision of each of `meant` over the first pictures of a set. */
const judge = async (model: ModelPackage, set: string, meant: readonly Meant[]): Promise<readonly number[]> => {
  // Low thresholds: average precision needs the whole curve.
  const all = { ...model, manifest: { ...model.manifest, thresholds: { default: 0.05 } } }
  const opened = await openModel(all, onnxRuntime)
  const folder = join(data!, set)
  const judged: Judged[][] = meant.map(() => [])
  for (const name of readdirSync(join(folder, 'images')).toSorted().slice(0, picturesPerSet)) {
    const picture = await readPicture(join(folder, 'images', name))
    const { decoded } = await opened.answer({ cameraId: set, number: 1, takenAt: 0, ...picture })
    const detections = decoded.kind === 'detections' ? decoded.detections : []
    const truth = truthOf(join(folder, 'labels', name.replace(/\.\w+$/, '.txt')))
    meant.forEach(({ labels, kinds }, i) => {
      judged[i]!.push({
        found: detections.filter(({ label }) => labels.includes(label)),
        truth: truth.filter(({ kind }) => kinds.includes(kind)).map(({ box }) => box),
      })
    })
  }
  await opened.session.close()
  return judged.map(averagePrecision)
}

/** YOLO text: class, centre, size. */
const truthOf = (path: string): readonly { readonly kind: number; readonly box: Box }[] => {
  const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n').filter(Boolean) : []
  return lines.map(line => {
    const [kind, x, y, w, h] = line.split(' ').map(Number) as [number, number, number, number, number]
    return { kind, box: [x - w / 2, y - h / 2, w, h] }
  })
}

const figures = async (model: ModelPackage) => {
  const [cocoPersons, cocoVehicles] = await judge(model, 'coco-mini', [persons, vehicles([2, 5, 7])])
  const [overheadVehicles] = await judge(model, 'traffic/overhead', [vehicles([3, 4, 5])])
  return { cocoPersons, cocoVehicles, overheadVehicles }
}

describe('detectors on photographs', () => {
  it('finds persons and vehicles with the shipped package about as well as its card says', {
    timeout: 300_000,
  }, async context => {
    if (!data) return context.skip(why)
    const options = { cacheDir: temporaryFolder(), requireSignatures: false }
    const measured = await figures(await loadModelPackage(join(root, 'models/vehicles'), options))
    console.log('vehicles, AP50:', measured)
    expect(measured.cocoPersons).toBeGreaterThan(0.47)
    expect(measured.overheadVehicles).toBeGreaterThan(0.62)
  })

  it('runs YOLOX-nano, supplied by the operator, from its package folder', { timeout: 300_000 }, async context => {
    if (!yoloxWeights || !existsSync(yoloxWeights)) return context.skip(`${why}, and models/yolox-nano-416.onnx`)
    const folder = temporaryFolder()
    const source = join(root, 'models/vehicles-yolox')
    cpSync(source, folder, { recursive: true })
    copyFileSync(yoloxWeights, join(folder, 'yolox-nano-416.onnx'))
    const model = await loadModelPackage(folder, { cacheDir: folder, requireSignatures: false })
    const { answer } = await openModel(model, onnxRuntime)
    for (const sample of model.manifest.golden)
      expect(await checkGolden(model, sample, { answer, readPicture })).toEqual([])
    const measured = await figures(model)
    console.log('vehicles-yolox, AP50:', measured)
    expect(measured.cocoPersons).toBeGreaterThan(0.47)
    expect(measured.overheadVehicles).toBeGreaterThan(0.42)
  })
})
