import { existsSync, readdirSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ModelManifest } from '@watchpost/shared/manifest/model-manifest'
import { describe, expect, it } from 'vitest'
import { encode, int, message, text } from '../../../edge/inference/convert/protobuf.js'
import { loadModelPackage } from '../../../edge/inference/model-package.js'
import { digest, load, temporaryFolder, writePackage, writeScriptedPackage } from './packages.js'

const refusal = (attempt: Promise<unknown>): Promise<string> =>
  attempt.then(
    () => 'accepted',
    (error: Error) => error.message,
  )
const vehicles = fileURLToPath(new URL('../../../models/vehicles', import.meta.url))

describe('model package', () => {
  it('is accepted with its identity when everything fits', async () => {
    const model = await load(writePackage())
    expect(model.identity).toEqual({ id: 'means', version: '1.2.3', sha256: model.manifest.weights.sha256 })
    expect(readFileSync(model.weightsPath).length).toBe(model.manifest.weights.bytes)
    expect(() => structuredClone(model)).not.toThrow()
  })

  it('is refused with what to do when there is no manifest or it is not JSON', async () => {
    expect(await refusal(load(temporaryFolder()))).toMatch(/no readable manifest.json; check the path/)
    expect(await refusal(load(writePackage({}, { 'manifest.json': '{' })))).toMatch(
      /manifest.json is not JSON .*; correct it/,
    )
  })

  it('is refused with all problems of the manifest at once', async () => {
    const message = await refusal(load(writePackage({ id: 'No Id', labels: [], licence: undefined, colour: 'red' })))
    for (const path of ['id', 'labels', 'licence', 'colour'])
      expect(message).toMatch(new RegExp(`manifest.json: ${path} `))
  })

  it('is refused with all that does not fit together at once', async () => {
    const message = await refusal(
      load(
        writePackage({
          labels: ['smoke', 'smoke', 'flame'],
          thresholds: { fog: 0.5 },
          golden: [{ image: 'golden/a.png', expected: 'golden/a.json' }],
        }),
      ),
    )
    expect(message).toMatch(/Label "smoke" stands twice/)
    expect(message).toMatch(/thresholds names "fog"/)
    expect(message).toMatch(/needs one channel for each of the 3 labels/)
    expect(message).toMatch(/Golden file golden\/a.png is missing; restore it/)
    expect(message).toMatch(/Golden file golden\/a.json is missing/)
  })

  it('is refused when the weights are missing, other ones or cut off', async () => {
    expect(
      await refusal(load(writePackage({ weights: { path: 'gone.onnx', sha256: '0'.repeat(64), bytes: 1 } }))),
    ).toMatch(/Weights gone.onnx are missing; copy them/)
    const folder = writePackage()
    const bytes = readFileSync(join(folder, 'model.onnx'))
    bytes[bytes.length - 20]! ^= 1
    writeFileSync(join(folder, 'model.onnx'), bytes)
    expect(await refusal(load(folder))).toMatch(
      /Weights model.onnx \(\d+ bytes, sha256 [0-9a-f]{64}\) are not the ones of the manifest .*; copy the package again/,
    )
    writeFileSync(join(folder, 'model.onnx'), bytes.subarray(0, 100))
    expect(await refusal(load(folder))).toMatch(/Weights model.onnx \(100 bytes/)
  })

  it('is refused when its ONNX file keeps weights beside itself, where its hash does not reach', async () => {
    const tensor = message([
      [8, text('w')],
      [
        13,
        [
          message([
            [1, text('location')],
            [2, text('big.data')],
          ]),
          message([
            [1, text('offset')],
            [2, text('0')],
          ]),
        ],
      ],
      [14, int(1)],
    ])
    const ofGraph = encode([
      [1, int(8)],
      [
        7,
        message([
          [2, text('g')],
          [5, tensor],
        ]),
      ],
    ])
    const ofNode = encode([
      [
        7,
        message([
          [
            1,
            message([
              [
                5,
                message([
                  [1, text('value')],
                  [5, tensor],
                ]),
              ],
            ]),
          ],
        ]),
      ],
    ])
    for (const bytes of [ofGraph, ofNode])
      expect(
        await refusal(load(writePackage({}, { 'model.onnx': Buffer.concat(bytes), 'big.data': 'weights' }))),
      ).toMatch(/model.onnx keeps weights in other files \(big.data\), .*; save it as one file/)
  })

  it('does not let paths leave its folder', async () => {
    const weights = { path: '../secret.onnx', sha256: '0'.repeat(64), bytes: 1 }
    expect(await refusal(load(writePackage({ weights })))).toMatch(/manifest.json: weights.path is not valid/)
  })

  it('is refused with a decoder that is not known, naming those that are', async () => {
    expect(await refusal(load(writePackage({ decoder: { name: 'detr' } })))).toMatch(
      /There is no decoder "detr"; there are yolox, centernet, grid, segmentation, classification/,
    )
    expect(await refusal(load(writePackage({ decoder: { name: 'toString' } })))).toMatch(/no decoder "toString"/)
  })

  it('is refused without golden samples, unless it is scripted', async () => {
    expect(await refusal(load(writePackage({ golden: [] })))).toMatch(/There are no golden samples.*model -- golden/)
    expect(await refusal(load(writeScriptedPackage({ steps: [{ at: 1 }] })))).toBe('accepted')
  })

  it('is refused when labels.txt says something else than the manifest', async () => {
    expect(await refusal(load(writePackage({}, { 'labels.txt': 'smoke\r\nflame\n' })))).toBe('accepted')
    expect(await refusal(load(writePackage({}, { 'labels.txt': 'flame\nsmoke\n' })))).toMatch(
      /labels.txt \(2 lines\) does not say the same as labels in manifest.json \(2\); correct/,
    )
  })

  it('is refused with links in it, wherever they lead', async () => {
    const folder = writePackage()
    writeFileSync(join(temporaryFolder(), 'secret'), 'secret')
    symlinkSync('model.onnx', join(folder, 'other.onnx'))
    symlinkSync('/etc', join(folder, 'etc'))
    const message = await refusal(load(folder))
    expect(message).toMatch(/other.onnx is a symbolic link; put the file itself/)
    expect(message).toMatch(/etc is a symbolic link/)
    rmSync(join(folder, 'model.onnx'))
    expect(await refusal(load(folder))).toMatch(/Weights model.onnx are missing/)
  })

  it('is refused when a file is larger than anything of its kind, before it is read', async () => {
    const folder = writePackage()
    truncateSync(join(folder, 'golden/one-grey.json'), 33 * 1024 ** 2)
    expect(await refusal(load(folder))).toMatch(/golden\/one-grey.json has 33 MiB, allowed are 32 MiB; use a smaller/)
    truncateSync(join(folder, 'manifest.json'), 2 * 1024 ** 2)
    expect(await refusal(load(folder))).toMatch(/manifest.json has more than 1 MiB/)
  })

  it('does not read shards of a graph from outside its folder', async () => {
    const graph = JSON.stringify({ weightsManifest: [{ paths: ['../../secret.bin'], weights: [] }] })
    const weights = { path: 'model.json', sha256: digest(graph), bytes: graph.length }
    const folder = writePackage({ runtime: 'tfjs', weights }, { 'model.json': graph })
    expect(await refusal(load(folder))).toMatch(/The graph's file .*secret.bin is not in the package/)
  })

  it('makes derived weights once, keeps them, and makes them again when the kept file was damaged', {
    timeout: 240_000,
  }, async () => {
    const cacheDir = temporaryFolder()
    const model = await loadModelPackage(vehicles, { cacheDir, requireSignatures: false })
    expect(digest(readFileSync(model.weightsPath))).toBe(model.manifest.weights.sha256)
    expect(readdirSync(cacheDir)).toHaveLength(1)
    writeFileSync(model.weightsPath, 'damaged')
    await loadModelPackage(vehicles, { cacheDir, requireSignatures: false })
    expect(digest(readFileSync(model.weightsPath))).toBe(model.manifest.weights.sha256)
    expect(readdirSync(cacheDir)).toHaveLength(1)
  })

  it('is refused when the npm package is missing, of another version or has other content', async () => {
    const manifest = JSON.parse(readFileSync(join(vehicles, 'manifest.json'), 'utf8')) as ModelManifest
    const withSource = (changes: object): string =>
      writePackage(
        {},
        {
          'manifest.json': JSON.stringify({
            ...manifest,
            golden: [{ image: 'golden/one-grey.png', expected: 'golden/one-grey.json' }],
            derivedFrom: { ...manifest.derivedFrom, ...changes },
          }),
        },
      )
    expect(await refusal(load(withSource({ npmPackage: '@watchpost/no-such-package' })))).toMatch(
      /which is not installed; install that version, e.g. with npm ci/,
    )
    expect(await refusal(load(withSource({ npmVersion: '1.0.0' })))).toMatch(/1.0.0, which is installed as 3.3.6/)
    expect(await refusal(load(withSource({ path: 'models/none.json' })))).toMatch(/has no file models\/none.json/)
    expect(await refusal(load(withSource({ sha256: '0'.repeat(64) })))).toMatch(
      /have the sha256 [0-9a-f]{64} instead of 0000/,
    )
    const folder = withSource({ outputs: ['tower_0/none'] })
    expect(await refusal(load(folder))).toMatch(
      /could not be made at .*The graph has no node "tower_0\/none"; correct derivedFrom.outputs/,
    )
    expect(existsSync(join(folder, 'cache')) ? readdirSync(join(folder, 'cache')) : []).toEqual([])
  })
})
