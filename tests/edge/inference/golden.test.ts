import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ModelManifest } from '@watchpost/shared/manifest/model-manifest'
import { describe, expect, it } from 'vitest'
import { checkGolden } from '../../../edge/inference/golden.js'
import { loadModelPackage, type ModelPackage } from '../../../edge/inference/model-package.js'
import type { ModelRuntime } from '../../../edge/inference/model-runtime.js'
import { openModel } from '../../../edge/inference/open-model.js'
import { readPicture } from '../../../edge/inference/read-picture.js'
import { onnxRuntime } from '../../../edge/inference/runtimes/onnx/onnx-runtime.js'
import { tfjsRuntime } from '../../../edge/inference/runtimes/tfjs/tfjs-runtime.js'
import { load, meansModel, temporaryFolder, writePackage } from './packages.js'

const models = fileURLToPath(new URL('../../../models/', import.meta.url))
const packages = readdirSync(models, { withFileTypes: true })
  .filter(entry => entry.isDirectory() && existsSync(join(models, entry.name, 'manifest.json')))
  .map(({ name }) => ({
    name,
    manifest: JSON.parse(readFileSync(join(models, name, 'manifest.json'), 'utf8')) as ModelManifest,
  }))
const isShipped = ({ name, manifest }: (typeof packages)[number]): boolean =>
  manifest.derivedFrom !== undefined || existsSync(join(models, name, manifest.weights.path))
const shipped = packages.filter(isShipped).map(({ name }) => name)
const supplied = packages.filter(one => !isShipped(one)).map(({ name }) => name)

const runtimesFor = ({ manifest, graphPath }: ModelPackage): Readonly<Record<string, ModelRuntime>> => ({
  ...(manifest.runtime === 'onnx' ? { onnx: onnxRuntime } : {}),
  ...(graphPath ? { tfjs: tfjsRuntime } : {}),
})

const check = async (model: ModelPackage, runtime: ModelRuntime): Promise<readonly string[]> => {
  const { session, answer } = await openModel(model, runtime)
  const problems: string[] = []
  for (const sample of model.manifest.golden)
    problems.push(...(await checkGolden(model, sample, { answer, readPicture })))
  await session.close()
  return problems
}

/** Every pixel is 0.2 of white. */
const grey = async (): Promise<Buffer> => {
  const { default: sharp } = await import('sharp')
  return sharp({ create: { width: 64, height: 32, channels: 3, background: { r: 51, g: 51, b: 51 } } })
    .png()
    .toBuffer()
}

describe('golden samples', () => {
  it('are shipped with the models of the product', () => {
    expect(shipped).toEqual(expect.arrayContaining(['road-users', 'smoke-flame', 'vehicles', 'water-segmentation']))
  })

  it.each(shipped)('of %s pass through each runtime that can open the package', { timeout: 120_000 }, async name => {
    const cacheDir = temporaryFolder()
    const model = await loadModelPackage(join(models, name), { cacheDir, requireSignatures: false })
    expect(model.manifest.golden.length).toBeGreaterThan(0)
    const runtimes = runtimesFor(model)
    expect(Object.keys(runtimes)).toContain('onnx')
    for (const [runtimeName, runtime] of Object.entries(runtimes))
      expect({ runtimeName, problems: await check(model, runtime) }).toEqual({ runtimeName, problems: [] })
  })

  it.each(supplied)('wait, in %s, for weights that the operator supplies, and say where they come from', async name => {
    const attempt = loadModelPackage(join(models, name), { cacheDir: temporaryFolder(), requireSignatures: false })
    await expect(attempt).rejects.toThrow(
      /Weights .* are missing; copy them into the package folder, they come from https:/,
    )
  })

  it('tell which output differs, and by how much', async () => {
    const golden = [{ image: 'golden/grey.png', expected: 'golden/grey.json' }]
    const values = new Array(16).fill(0.5)
    const folder = writePackage(
      { golden },
      {
        'golden/grey.png': await grey(),
        'golden/grey.json': JSON.stringify({ outputs: { scores: { shape: [1, 2, 2, 4], values } } }),
      },
    )
    expect(await check(await load(folder), onnxRuntime)).toEqual([
      'golden/grey.png: output "scores" differs by up to 0.3000, tolerated are 0.001.',
    ])
  })

  it('tell which expected objects are missing and which found ones are not expected', async () => {
    const model = await loadModelPackage(join(models, 'vehicles'), {
      cacheDir: temporaryFolder(),
      requireSignatures: false,
    })
    const sample = model.manifest.golden[0]!
    const folder = temporaryFolder()
    const expected = JSON.parse(readFileSync(join(model.dir, sample.expected), 'utf8')) as {
      detections: { label: string; confidence: number; box: number[] }[]
    }
    const [first, ...rest] = expected.detections
    const changed = { detections: [{ ...first!, label: 'bus' }, ...rest] }
    mkdirSync(join(folder, 'golden'))
    writeFileSync(join(folder, sample.expected), JSON.stringify(changed))
    writeFileSync(join(folder, sample.image), readFileSync(join(model.dir, sample.image)))
    const problems = await check({ ...model, dir: folder }, onnxRuntime)
    expect(problems).toHaveLength(2)
    expect(problems[0]).toMatch(/expected bus \(0\.\d+ at .*\) is not found/)
    expect(problems[1]).toMatch(new RegExp(`found ${first!.label} .* is not expected`))
  })

  it('leaves open what lies within the tolerance of its threshold, expected or found', async () => {
    const box = [0, 0, 0.5, 0.5] as const
    const expecting = async (expected: number, found: number) => {
      const folder = writePackage({}, { 'golden/one-grey.json': '' })
      const model = await load(folder)
      const detection = (confidence: number) => ({
        label: 'smoke',
        confidence,
        box: [...box] as [number, number, number, number],
      })
      writeFileSync(join(folder, 'golden/one-grey.json'), JSON.stringify({ detections: [detection(expected)] }))
      const manifest = { ...model.manifest, tolerance: 0.02, thresholds: { default: 0.3 } }
      const detections = found >= 0.3 ? [detection(found)] : []
      return checkGolden({ ...model, manifest }, manifest.golden[0]!, {
        answer: async () => ({ outputs: {}, decoded: { kind: 'detections', detections } }),
        readPicture,
      })
    }
    expect(await expecting(0.301, 0.299)).toEqual([])
    expect(await expecting(0.33, 0.299)).toEqual([expect.stringMatching(/expected smoke .* is not found/)])
  })

  it('that expect nothing, or cannot be read, are refused by name', async () => {
    const said = async (text: string) => {
      const problems = await check(await load(writePackage({}, { 'golden/one-grey.json': text })), onnxRuntime)
      return problems.join()
    }
    expect(await said('{}')).toMatch(/golden\/one-grey.json expects nothing of the model; make the sample anew/)
    expect(await said('{"outputs": {')).toMatch(/golden\/one-grey.json is not JSON; copy the package again/)
  })

  it('is decided by the weights: the same package with other weights fails', async () => {
    const bytes = Buffer.from(meansModel())
    const needle = Buffer.from(Float32Array.of(1 / 256 / 255).buffer)
    const at = bytes.indexOf(needle)
    Buffer.from(Float32Array.of(100).buffer).copy(bytes, at)
    const golden = [{ image: 'golden/grey.png', expected: 'golden/grey.json' }]
    const files = {
      'golden/grey.png': await grey(),
      'golden/grey.json': JSON.stringify({
        outputs: { scores: { shape: [1, 2, 2, 4], values: new Array(16).fill(0.2) } },
      }),
    }
    expect(await check(await load(writePackage({ golden }, files)), onnxRuntime)).toEqual([])
    const changed = await check(await load(writePackage({ golden }, { ...files, 'model.onnx': bytes })), onnxRuntime)
    expect(changed[0]).toMatch(/output "scores" differs/)
  })
})
