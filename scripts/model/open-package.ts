import { existsSync, statSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ModelManifest } from '@watchpost/shared/manifest/model-manifest'
import { loadModelPackage, type ModelPackage } from '@watchpost/edge/inference/model-package'
import type { ModelRuntime } from '@watchpost/edge/inference/model-runtime'
import { unpackArchive } from '@watchpost/edge/inference/package-archive-file'
import { readTrustedKeys, type TrustedKeys } from '@watchpost/edge/inference/trusted-keys'
import { FailedError, type Given, type OptionTable, UsageError } from './command.js'

/** Weights that are made from npm packages are kept here; the agent keeps its own. */
const defaultCache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'watchpost', 'models')

export const packageOptions: OptionTable = { cache: { type: 'string' } }
export const packageHelp = `  --cache DIR           where weights made from npm packages are kept (default ${defaultCache})`

export const cacheDirOf = (given: Given): string => given.path('cache') ?? defaultCache

/** Runs `use` with the folder of a package, which may be given as a folder or as an archive (.wpm). */
export const withPackageFolder = async <T>(path: string, use: (folder: string) => Promise<T>): Promise<T> => {
  if (!existsSync(path)) throw new FailedError(`${path} does not exist; give a package folder or a .wpm file.`)
  if (statSync(path).isDirectory()) return use(path)
  const temporary = await mkdtemp(join(tmpdir(), 'watchpost-model-'))
  try {
    await unpackArchive(path, join(temporary, 'package'))
    return await use(join(temporary, 'package'))
  } finally {
    await rm(temporary, { recursive: true, force: true })
  }
}

/** As the agent loads it, but for signatures: whoever evaluates a package decides about it himself. */
export const withPackage = <T>(path: string, given: Given, use: (model: ModelPackage) => Promise<T>): Promise<T> =>
  withPackageFolder(path, async folder =>
    use(await loadModelPackage(folder, { cacheDir: cacheDirOf(given), requireSignatures: false })),
  )

export const trustedKeysOf = async (given: Given): Promise<TrustedKeys> => {
  const entries = given.texts('trusted-key').map(key => (key.startsWith('ed25519:') ? key : undefined))
  const paths = given.paths('trusted-key')
  const { keys, problems } = await readTrustedKeys(entries.map((inline, i) => inline ?? paths[i]!))
  if (problems[0])
    throw new UsageError(`--trusted-key ${given.texts('trusted-key')[problems[0].index]}: ${problems[0].problem}`)
  return keys
}

export type RuntimeName = 'onnx' | 'tfjs' | 'scripted'

const runtimes: Readonly<Record<RuntimeName, () => Promise<ModelRuntime>>> = {
  onnx: async () => (await import('@watchpost/edge/inference/runtimes/onnx/onnx-runtime')).onnxRuntime,
  tfjs: async () => (await import('@watchpost/edge/inference/runtimes/tfjs/tfjs-runtime')).tfjsRuntime,
  scripted: async () => (await import('@watchpost/edge/inference/runtimes/scripted/scripted-runtime')).scriptedRuntime,
}

export const loadRuntime = (name: RuntimeName): Promise<ModelRuntime> => runtimes[name]()
export const ownRuntime = ({ runtime }: ModelManifest): RuntimeName => runtime as RuntimeName

/** Why a package cannot be opened by a runtime; undefined when it can. */
export const cannotOpen = ({ manifest, graphPath }: ModelPackage, name: RuntimeName): string | undefined => {
  if (manifest.runtime === name) return undefined
  if (name === 'scripted' || manifest.runtime === 'scripted') return 'a script is no model'
  if (name === 'tfjs') return graphPath === null ? 'the package holds no TF.js graph' : undefined
  return 'the package holds no ONNX file'
}
