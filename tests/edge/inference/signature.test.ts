import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ModelManifest } from '@watchpost/shared/manifest/model-manifest'
import { describe, expect, it } from 'vitest'
import { listPackageFiles } from '../../../edge/inference/package-files.js'
import { signedBytes } from '../../../edge/inference/signature.js'
import { inlineKey, keyIdOf, parsePublicKey, readTrustedKeys } from '../../../edge/inference/trusted-keys.js'
import { digest, load, temporaryFolder, writePackage } from './packages.js'

const release = generateKeyPairSync('ed25519')
const stranger = generateKeyPairSync('ed25519')
const trustedKeys = (await readTrustedKeys([inlineKey(release.publicKey)])).keys
const strict = { requireSignatures: true, trustedKeys }

const refusal = (attempt: Promise<unknown>): Promise<string> =>
  attempt.then(
    () => 'accepted',
    (error: Error) => error.message,
  )

const readManifest = (folder: string): ModelManifest =>
  JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')) as ModelManifest

const writeManifest = (folder: string, manifest: object): void =>
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify(manifest))

/** As the `model sign` command does it, written out here so that the format itself is held. */
const signFolder = async (folder: string, { privateKey, publicKey } = release, keyId = keyIdOf(publicKey)) => {
  const { signature: _, ...manifest } = readManifest(folder)
  const { files } = await listPackageFiles(folder)
  const listed = Object.fromEntries(
    [...files]
      .filter(([path]) => path !== 'manifest.json')
      .map(([path, bytes]) => [path, { sha256: digest(readFileSync(join(folder, path))), bytes }]),
  )
  const sealed = { ...manifest, files: listed } as ModelManifest
  const value = sign(null, signedBytes(sealed), privateKey as KeyObject).toString('base64')
  writeManifest(folder, { ...sealed, signature: { algorithm: 'ed25519', keyId, value } })
  return folder
}

const signed = () => signFolder(writePackage({}, { 'CARD.md': '# means\n' }))

describe('signature of a model package', () => {
  it('is demanded where the agent says so, and says how to sign', async () => {
    expect(await refusal(load(writePackage(), strict))).toMatch(/not signed; sign it with "npm run model -- sign"/)
    expect(await refusal(load(await signed(), strict))).toBe('accepted')
    expect(await refusal(load(await signed()))).toBe('accepted')
  })

  it('does not depend on the order or the white space of the manifest', async () => {
    const folder = await signed()
    const reversed = Object.fromEntries(Object.entries(readManifest(folder)).toReversed())
    writeFileSync(join(folder, 'manifest.json'), JSON.stringify(reversed, null, 4))
    expect(await refusal(load(folder, strict))).toBe('accepted')
  })

  it('breaks when the manifest is changed', async () => {
    const folder = await signed()
    writeManifest(folder, { ...readManifest(folder), thresholds: { default: 0.01 } })
    expect(await refusal(load(folder, strict))).toMatch(/signature of the key [0-9a-f]{16} does not fit the manifest/)
    // A key that is known is believed to say something, also where no signature is demanded.
    expect(await refusal(load(folder, { requireSignatures: false, trustedKeys }))).toMatch(/does not fit the manifest/)
  })

  it('covers the weights and every other file: none may change, be missing or be added', async () => {
    const folder = await signed()
    appendFileSync(join(folder, 'model.onnx'), 'x')
    expect(await refusal(load(folder, strict))).toMatch(/Weights model.onnx .* are not the ones of the manifest/)
    for (const path of ['CARD.md', 'golden/one-grey.json', 'golden/one-grey.png']) {
      const other = await signed()
      appendFileSync(join(other, path), ' ')
      expect(await refusal(load(other, strict))).toContain(`${path} is not the file that the manifest lists`)
      rmSync(join(other, path))
      expect(await refusal(load(other, strict))).toContain(`${path} is listed in the manifest but missing`)
    }
    const more = await signed()
    writeFileSync(join(more, 'extra.txt'), 'extra')
    expect(await refusal(load(more, strict))).toMatch(/extra.txt is not among the files that the manifest lists/)
  })

  it('covers the weights also when their hash is changed with them', async () => {
    const folder = await signed()
    const weights = Buffer.concat([readFileSync(join(folder, 'model.onnx')), Buffer.from('x')])
    writeFileSync(join(folder, 'model.onnx'), weights)
    const entry = { sha256: digest(weights), bytes: weights.length }
    const manifest = readManifest(folder)
    const files = { ...manifest.files, 'model.onnx': entry }
    writeManifest(folder, { ...manifest, files, weights: { ...manifest.weights, ...entry } })
    expect(await refusal(load(folder, strict))).toMatch(/does not fit the manifest; fetch the package again/)
  })

  it('of an unknown key is refused, and so is one that only borrows the name of a trusted key', async () => {
    const unknown = await signFolder(writePackage(), stranger)
    expect(await refusal(load(unknown, strict))).toMatch(
      new RegExp(
        `key ${keyIdOf(stranger.publicKey)}, which is not trusted here \\(trusted: ${keyIdOf(release.publicKey)}\\)`,
      ),
    )
    expect(await refusal(load(unknown, { requireSignatures: true, trustedKeys: {} }))).toMatch(/trusted: none/)
    expect(await refusal(load(unknown, { requireSignatures: false, trustedKeys }))).toBe('accepted')
    const borrowed = await signFolder(writePackage(), stranger, keyIdOf(release.publicKey))
    expect(await refusal(load(borrowed, strict))).toMatch(/does not fit the manifest/)
  })

  it('is refused when it is cut off, is no base64, or signs a manifest that lists no files', async () => {
    for (const value of ['', 'AAAA', '%%%', 'A'.repeat(86)]) {
      const folder = await signed()
      const manifest = readManifest(folder)
      writeManifest(folder, { ...manifest, signature: { ...manifest.signature, value } })
      expect(await refusal(load(folder, strict))).toMatch(/does not fit the manifest/)
    }
    const folder = await signed()
    const { files: _, ...manifest } = readManifest(folder)
    writeManifest(folder, manifest)
    expect(await refusal(load(folder, strict))).toMatch(/signed but does not list its files; sign it again/)
  })
})

describe('trusted keys', () => {
  it('are read inline and from files, as PEM or as one line, and are the same key', async () => {
    const folder = temporaryFolder()
    const pem = release.publicKey.export({ type: 'spki', format: 'pem' }).toString()
    writeFileSync(join(folder, 'a.pub'), pem)
    writeFileSync(join(folder, 'b.pub'), `${inlineKey(release.publicKey)}\n`)
    const { keys, problems } = await readTrustedKeys([join(folder, 'a.pub'), join(folder, 'b.pub')])
    expect(problems).toEqual([])
    expect(keys).toEqual({ [keyIdOf(release.publicKey)]: pem })
  })

  it('are refused one by one with what to give instead', async () => {
    const folder = temporaryFolder()
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ type: 'spki', format: 'pem' })
    const secret = release.privateKey.export({ type: 'pkcs8', format: 'pem' })
    writeFileSync(join(folder, 'rsa.pub'), rsa)
    writeFileSync(join(folder, 'secret.key'), secret)
    const { keys, problems } = await readTrustedKeys([
      'ed25519:AAAA',
      inlineKey(release.publicKey),
      join(folder, 'rsa.pub'),
      join(folder, 'secret.key'),
      join(folder, 'none'),
    ])
    expect(Object.keys(keys)).toEqual([keyIdOf(release.publicKey)])
    expect(problems.map(({ index }) => index)).toEqual([0, 2, 3, 4])
    const sentences = problems.map(({ problem }) => problem)
    expect(sentences[0]).toMatch(/no Ed25519 public key; "npm run model -- keygen" makes one/)
    expect(sentences[1]).toMatch(/no Ed25519 public key/)
    expect(sentences[2]).toMatch(/This is a private key; keep it where packages are signed/)
    expect(sentences[3]).toMatch(/ENOENT/)
    expect(() => parsePublicKey('')).toThrow(/no Ed25519 public key/)
  })
})
