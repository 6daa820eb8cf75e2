import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { writePackage } from '../edge/inference/packages.js'
import { model, modelJson, plain, png, workFolder, writeFiles } from './run-model.js'

describe('model bench', () => {
  it('measures the package beside bare ONNX Runtime, with one and two threads, in one run', {
    timeout: 180_000,
  }, async () => {
    interface Side {
      readonly ms: { readonly median: number; readonly p95: number }
      readonly cpuMs: number
      readonly sessionMb: number
      readonly mbPerImage: number
    }
    interface Found {
      readonly images: number
      readonly threads: Readonly<
        Record<string, { readonly package: Side; readonly bare: Side; readonly ratio: { readonly ms: number } }>
      >
    }
    const folder = workFolder()
    const { images, threads } = await modelJson<Found>(folder, ['bench', writePackage(), '--rounds', '8'])
    expect([images, Object.keys(threads)]).toEqual([8, ['1', '2']])
    for (const { package: own, bare, ratio } of Object.values(threads)) {
      for (const side of [own, bare]) {
        expect(side.ms.median).toBeGreaterThan(0)
        expect(side.ms.p95).toBeGreaterThanOrEqual(side.ms.median)
        expect(side.cpuMs).toBeGreaterThan(0)
        expect(side.mbPerImage).toBeGreaterThanOrEqual(0)
        expect(Number.isFinite(side.sessionMb)).toBe(true)
      }
      expect(ratio.ms).toBe(own.ms.median / bare.ms.median)
    }
  })

  it('says what is wrong with its arguments', async () => {
    const folder = workFolder()
    const said = async (...args: readonly string[]) => (await model(folder, 'bench', writePackage(), ...args)).stderr
    expect(await said('--threads', '1,x')).toMatch(/--threads is "1,x"; give numbers from 1 to 64/)
    expect(await said('--rounds', '1')).toMatch(/--rounds is "1"; give a number from 2 to/)
    expect(await said('--images', '.')).toMatch(/holds no pictures/)
  })
})

describe('model diff', () => {
  it('shows what the manifests say differently, and nothing else', async () => {
    const folder = workFolder()
    const b = writePackage({
      version: '1.3.0',
      thresholds: { default: 0.4, flame: 0.7 },
      decoder: { name: 'grid', activation: 'none' },
    })
    const { manifest, agreement } = await modelJson(folder, ['diff', writePackage(), b])
    // In the order of A's manifest; keys that only B has come last.
    expect(manifest).toEqual([
      { path: 'version', a: '"1.2.3"', b: '"1.3.0"' },
      { path: 'thresholds.default', a: '0.5', b: '0.4' },
      { path: 'decoder.activation', a: null, b: '"none"' },
      { path: 'thresholds.flame', a: null, b: '0.7' },
    ])
    expect(agreement).toBeNull()
    const same = await model(folder, 'diff', b, b)
    expect(same.stdout).toMatch(/The manifests say the same/)
  })

  it('counts per class what both, only A and only B see', async () => {
    const folder = workFolder()
    // 8 cells each: the left half at 0.6 red, the right half at 0.45; all of the second picture is blue.
    writeFiles(folder, {
      'frames/a.png': await png(x => (x < 32 ? [153, 0, 0] : [115, 0, 0])),
      'frames/b.png': await plain(0, 1),
    })
    const b = writePackage({ thresholds: { smoke: 0.4, flame: 0.5 } })
    const { agreement } = await modelJson(folder, ['diff', writePackage(), b, '--images', 'frames'])
    expect(agreement).toMatchObject({
      images: 2,
      unit: 'cells',
      share: 12 / 16,
      labels: expect.arrayContaining([
        { label: 'smoke', agree: 4, onlyActive: 0, onlyCandidate: 4, iou: 0.5 },
        { label: 'flame', agree: 8, onlyActive: 0, onlyCandidate: 0, iou: 1 },
      ]),
    })
    const text = await model(folder, 'diff', writePackage(), b, '--images', 'frames')
    expect(text.stdout).toMatch(/On 2 pictures, in cells; both saw 75.0 % of what either saw/)
    expect(text.stdout).toMatch(/smoke +4 +0 +4 +0.500/)
  })

  it('refuses to compare a mask with classes, and says so', async () => {
    const folder = workFolder()
    writeFiles(folder, { 'frames/a.png': await plain(0, 1) })
    const mask = writePackage({ decoder: { name: 'segmentation' } })
    const classes = writePackage({
      decoder: { name: 'classification' },
      labels: Array.from({ length: 16 }, (_, i) => `class-${i}`),
    })
    const { code, stderr } = await model(folder, 'diff', mask, classes, '--images', join(folder, 'frames'))
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/gives mask, means gives classes: these cannot be compared/),
    ])
  })
})
