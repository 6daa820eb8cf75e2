import { createPrivateKey, createPublicKey, type KeyObject, sign as signBytes } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { ModelManifest } from '@watchpost/shared/manifest/model-manifest'
import { hashFiles } from '@watchpost/edge/inference/file-hash'
import { loadModelPackage } from '@watchpost/edge/inference/model-package'
import { packFolder } from '@watchpost/edge/inference/package-archive-file'
import { listPackageFiles } from '@watchpost/edge/inference/package-files'
import { signedBytes } from '@watchpost/edge/inference/signature'
import { keyIdOf } from '@watchpost/edge/inference/trusted-keys'
import { type Command, FailedError, UsageError } from '../command.js'
import { cacheDirOf, packageHelp, packageOptions } from '../open-package.js'
import { writeManifest } from '../write-manifest.js'

export const sign: Command = {
  help: `Usage: npm run model -- sign PACKAGE --key FILE [--json]

Checks the package, writes the SHA-256 of each of its files and the signature into manifest.json. After that no file may change; sign
again when one did. PACKAGE is a folder: sign first, then pack.

  --key FILE            secret key, from "model keygen"
${packageHelp}`,
  options: { ...packageOptions, key: { type: 'string' } },
  async run(given) {
    const [folder] = given.pathArguments(1, 1, 'the folder of the package')
    const keyFile = given.path('key')
    if (keyFile === undefined) throw new UsageError('Give the secret key with --key FILE; "model keygen" makes one.')
    if ((await stat(folder!).catch(() => undefined))?.isFile())
      throw new UsageError(`${folder} is a file; give the folder of the package, sign it, then pack it.`)
    const key = await readPrivateKey(keyFile)
    const unsigned = await seal(folder!)
    const keyId = keyIdOf(createPublicKey(key))
    const value = signBytes(null, signedBytes(unsigned), key).toString('base64')
    const before = await readFile(join(folder!, 'manifest.json'), 'utf8')
    await writeManifest(folder!, { ...unsigned, signature: { algorithm: 'ed25519', keyId, value } })
    try {
      const trustedKeys = { [keyId]: createPublicKey(key).export({ type: 'spki', format: 'pem' }).toString() }
      await loadModelPackage(folder!, { cacheDir: cacheDirOf(given), requireSignatures: true, trustedKeys })
    } catch (error) {
      // Nothing is signed that an agent would refuse.
      await writeManifest(folder!, before)
      throw error
    }
    const { sha256 } = await packFolder(folder!)
    const files = Object.keys(unsigned.files ?? {}).length
    return {
      ok: true,
      json: { id: unsigned.id, version: unsigned.version, keyId, files, digest: sha256 },
      text: `Signed ${unsigned.id} ${unsigned.version} with the key ${keyId}: manifest and ${files} files.\nDigest when packed: ${sha256}`,
    }
  },
}

/** The manifest with the hashes of all files, without a signature. */
const seal = async (folder: string): Promise<ModelManifest> => {
  const text = await readFile(join(folder, 'manifest.json'), 'utf8').catch(() => {
    throw new FailedError(`${folder} has no readable manifest.json; give the folder of a package.`)
  })
  const { signature: _, files: __, ...manifest } = JSON.parse(text) as ModelManifest
  const { files } = await listPackageFiles(folder)
  const listed: NonNullable<ModelManifest['files']> = {}
  for (const path of files.keys()) if (path !== 'manifest.json') listed[path] = await hashFiles([join(folder, path)])
  return { ...manifest, files: listed }
}

const readPrivateKey = async (path: string): Promise<KeyObject> => {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new FailedError(`The key ${path} cannot be read: ${(cause as Error).message}`, { cause })
  })
  const key = parsePrivateKey(text)
  if (key?.asymmetricKeyType === 'ed25519') return key
  throw new FailedError(
    text.includes('PUBLIC KEY') || text.startsWith('ed25519:')
      ? `${path} is the public key; sign with the secret one (.key).`
      : `${path} is no Ed25519 secret key in PEM form; "model keygen" makes one.`,
  )
}

const parsePrivateKey = (text: string): KeyObject | undefined => {
  try {
    return createPrivateKey(text)
  } catch {
    return undefined
  }
}
