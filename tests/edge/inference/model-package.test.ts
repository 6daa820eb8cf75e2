import { generateKeyPairSync, sign } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ModelManifest } from '@watchpost/shared/manifest/model-manifest'
import { describe, expect, it } from 'vitest'
import { loadModelPackage } from '../../../edge/inference/model-package.js'
import { signedBytes } from '../../../edge/inference/signature.js'
import { digest, load, temporaryFolder, writePackage } from './packages.js'

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

  it('does not let paths leave its folder', async () => {
    const weights = { path: '../secret.onnx', sha256: '0'.repeat(64), bytes: 1 }
    expect(await refusal(load(writePackage({ weights })))).toMatch(/manifest.json: weights.path is not valid/)
  })

  it('is refused unsigned when signatures are required, and accepted with a good one of a trusted key', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519')
    const trustedKeys = { 'release-2026': publicKey.export({ type: 'spki', format: 'pem' }).toString() }
    const folder = writePackage()
    const strict = { requireSignatures: true, trustedKeys }
    expect(await refusal(load(folder, strict))).toMatch(/not signed; sign it or set requireSignatures to false/)

    const path = join(folder, 'manifest.json')
    const manifest = JSON.parse(readFileSync(path, 'utf8')) as ModelManifest
    const value = sign(null, signedBytes(manifest), privateKey).toString('base64')
    const signed = { ...manifest, signature: { algorithm: 'ed25519', keyId: 'release-2026', value } }
    // Order and white space do not matter.
    writeFileSync(path, JSON.stringify(Object.fromEntries(Object.entries(signed).toReversed()), null, 4))
    expect(await refusal(load(folder, strict))).toBe('accepted')
    expect(await refusal(load(folder, { requireSignatures: true, trustedKeys: {} }))).toMatch(
      /signed by "release-2026", which is no trusted key/,
    )

    writeFileSync(path, JSON.stringify({ ...signed, thresholds: { default: 0.01 } }))
    expect(await refusal(load(folder, strict))).toMatch(/signature by "release-2026" does not fit the manifest/)
    expect(await refusal(load(folder, { requireSignatures: false, trustedKeys }))).toMatch(/does not fit the manifest/)
  })

  it('makes derived weights once, keeps them, and makes them again when the kept file was damaged', {
    timeout: 60_000,
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
            golden: [],
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
