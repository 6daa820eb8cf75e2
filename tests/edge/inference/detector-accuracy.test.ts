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

const vehicleLabels = new Set(['car', 'bus', 'truck'])
const cocoVehicles = new Set([2, 5, 7])
const trafficVehicles = new Set([3, 4, 5])

const judge = async (
  model: ModelPackage,
  set: string,
  truthOf: (kind: number) => boolean,
  isMeant: (label: string) => boolean,
) => {
  // Low thresholds: average precision needs the whole curve.
  const all = { ...model, manifest: { ...model.manifest, thresholds: { default: 0.05 } } }
  const opened = await openModel(all, onnxRuntime)
  const folder = join(data!, set)
  const pictures: Judged[] = []
  for (const name of readdirSync(join(folder, 'images')).toSorted().slice(0, 128)) {
    const picture = await readPicture(join(folder, 'images', name))
    const decoded = await opened.detect({ cameraId: set, number: 1, takenAt: 0, ...picture })
    const labels = join(folder, 'labels', name.replace(/\.\w+$/, '.txt'))
    const lines = existsSync(labels) ? readFileSync(labels, 'utf8').split('\n').filter(Boolean) : []
    const boxes = lines.map(line => line.split(' ').map(Number) as [number, number, number, number, number])
    pictures.push({
      found: decoded.kind === 'detections' ? decoded.detections.filter(({ label }) => isMeant(label)) : [],
      truth: boxes.filter(([kind]) => truthOf(kind)).map(([, x, y, w, h]): Box => [x - w / 2, y - h / 2, w, h]),
    })
  }
  await opened.session.close()
  return averagePrecision(pictures)
}

const figures = async (model: ModelPackage) => ({
  cocoPersons: await judge(
    model,
    'coco-mini',
    kind => kind === 0,
    label => label === 'person',
  ),
  cocoVehicles: await judge(
    model,
    'coco-mini',
    kind => cocoVehicles.has(kind),
    label => vehicleLabels.has(label),
  ),
  overheadVehicles: await judge(
    model,
    'traffic/overhead',
    kind => trafficVehicles.has(kind),
    label => vehicleLabels.has(label),
  ),
})

describe('detectors on photographs', () => {
  it('finds persons and vehicles with the shipped package as well as its card says', {
    timeout: 300_000,
  }, async context => {
    if (!data) return context.skip(why)
    const options = { cacheDir: temporaryFolder(), requireSignatures: false }
    const measured = await figures(await loadModelPackage(join(root, 'models/vehicles'), options))
    console.log('vehicles, AP50:', measured)
    expect(measured.cocoPersons).toBeGreaterThan(0.52)
    expect(measured.overheadVehicles).toBeGreaterThan(0.6)
  })

  it('runs YOLOX-nano, supplied by the operator, from its package folder', { timeout: 300_000 }, async context => {
    if (!yoloxWeights || !existsSync(yoloxWeights)) return context.skip(`${why}, and models/yolox-nano-416.onnx`)
    const folder = temporaryFolder()
    const source = join(root, 'models/vehicles-yolox')
    cpSync(source, folder, { recursive: true })
    copyFileSync(yoloxWeights, join(folder, 'yolox-nano-416.onnx'))
    const model = await loadModelPackage(folder, { cacheDir: folder, requireSignatures: false })
    const { session, decode } = await openModel(model, onnxRuntime)
    for (const sample of model.manifest.golden)
      expect(await checkGolden(model, sample, { session, decode, readPicture })).toEqual([])
    const measured = await figures(model)
    console.log('vehicles-yolox, AP50:', measured)
    expect(measured.cocoPersons).toBeGreaterThan(0.52)
    expect(measured.overheadVehicles).toBeGreaterThan(0.45)
  })
})
