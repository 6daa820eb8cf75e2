import { access, lstat, readFile } from 'node:fs/promises'
import { join, posix, relative, resolve } from 'node:path'
import { validateConfig } from '@watchpost/shared/config/validate-config'
import { ModelManifest } from '@watchpost/shared/manifest/model-manifest'
import { packageLimits } from '@watchpost/shared/manifest/package-archive'
import { deriveWeights } from './convert/derive-weights.js'
import { graphFiles } from './convert/graph-model.js'
import { decoderProblems } from './decoders/decoder-options.js'
import { externalDataOf, externalDataProblem } from './external-data.js'
import { hashFiles } from './file-hash.js'
import { ModelPackageError, sentenceOf } from './inference-error.js'
import type { ModelIdentity } from './inference-result.js'
import { findNpmPackage } from './npm-package.js'
import { goldenFileProblems, listPackageFiles, type PackageFiles, sealProblems } from './package-files.js'
import { signatureProblems } from './signature.js'
import type { TrustedKeys } from './trusted-keys.js'

/** A package that passed every check. Plain data: it is handed to worker threads as it is. */
export interface ModelPackage {
  /** Absolute. */
  readonly dir: string
  readonly manifest: ModelManifest
  readonly identity: ModelIdentity
  /** Absolute; the file whose hash is the identity's. For tfjs the graph file, beside its shards. */
  readonly weightsPath: string
  /** The TF.js graph the weights are or derive from, so that the tfjs runtime can open the package too. */
  readonly graphPath: string | null
}

export interface LoadOptions {
  /** Where weights made from an npm package are kept. */
  readonly cacheDir: string
  readonly requireSignatures: boolean
  readonly trustedKeys?: TrustedKeys
}

/**
 * Reads a package folder and checks all of it before any camera is touched: manifest, decoder, labels, files, golden samples,
 * signature, hashes. Makes derived weights when they are not in the cache yet.
 * Rejects with a ModelPackageError that lists every problem.
 */
export const loadModelPackage = async (dir: string, options: LoadOptions): Promise<ModelPackage> => {
  const folder = resolve(dir)
  const manifest = await readManifest(folder)
  const { files, problems: listingProblems } = await listPackageFiles(folder)
  const problems = [
    ...listingProblems,
    ...labelProblems(manifest),
    ...(await labelFileProblems(folder, files, manifest)),
    ...decoderProblems(manifest),
    ...signatureProblems(manifest, { trustedKeys: {}, ...options }),
    ...goldenFileProblems(files, manifest),
    ...(await sealProblems(folder, files, manifest)),
  ]
  const found = await (manifest.derivedFrom
    ? derived(manifest, options.cacheDir, problems)
    : own(folder, files, manifest))
  problems.push(...found.problems)
  if (problems.length > 0) throw refusal(folder, problems)
  const { id, version, weights } = manifest
  return {
    dir: folder,
    manifest,
    identity: { id, version, sha256: weights.sha256 },
    weightsPath: found.weightsPath,
    graphPath: found.graphPath,
  }
}

const readManifest = async (folder: string): Promise<ModelManifest> => {
  const path = join(folder, 'manifest.json')
  const found = await lstat(path).catch(() => undefined)
  if (found && found.size > packageLimits.manifestBytes)
    throw refusal(folder, ['manifest.json has more than 1 MiB; a manifest is far smaller.'])
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw refusal(folder, [`There is no readable manifest.json; check the path of the package.`], cause)
  })
  const parsed = parseJson(text, folder)
  const { errors } = validateConfig(ModelManifest, parsed)
  // As it was read: the validated copy knows nothing of the decoder's own options.
  if (errors.length === 0) return parsed as ModelManifest
  throw refusal(
    folder,
    errors.map(
      ({ path: at, message, given, hint }) =>
        `manifest.json: ${at} ${message}${given === undefined ? '' : ` (given: ${given})`}.${hint === undefined ? '' : ` ${hint}`}`,
    ),
  )
}

const parseJson = (text: string, folder: string): unknown => {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw refusal(folder, [`manifest.json is not JSON (${sentenceOf(cause)}); correct it there.`], cause)
  }
}

const refusal = (folder: string, problems: readonly string[], cause?: unknown): ModelPackageError =>
  new ModelPackageError(
    [`Model package ${folder} is refused:`, ...problems.map(problem => `  - ${problem}`)].join('\n'),
    { cause },
  )

const labelProblems = ({ labels, thresholds }: ModelManifest): readonly string[] => [
  ...labels
    .filter((label, index) => labels.indexOf(label) !== index)
    .map(label => `Label "${label}" stands twice in the list; labels must differ, in the order of the channels.`),
  ...Object.keys(thresholds)
    .filter(label => label !== 'default' && !labels.includes(label))
    .map(label => `thresholds names "${label}", which is not among the labels; correct or remove it.`),
]

/** People read labels.txt, the decoder reads the manifest: they must not say different things. */
const labelFileProblems = async (
  folder: string,
  files: PackageFiles,
  { labels }: ModelManifest,
): Promise<readonly string[]> => {
  if (!files.has('labels.txt')) return []
  const written = (await readFile(join(folder, 'labels.txt'), 'utf8')).split(/\r?\n/).filter(line => line.trim() !== '')
  return written.join('\n') === labels.join('\n')
    ? []
    : [
        `labels.txt (${written.length} lines) does not say the same as labels in manifest.json (${labels.length}); correct the one that is wrong.`,
      ]
}

interface Weights {
  readonly weightsPath: string
  readonly graphPath: string | null
  readonly problems: readonly string[]
}

const own = async (folder: string, files: PackageFiles, manifest: ModelManifest): Promise<Weights> => {
  const weightsPath = join(folder, manifest.weights.path)
  const graphPath = manifest.runtime === 'tfjs' ? weightsPath : null
  const result = { weightsPath, graphPath }
  if (!files.has(posix.normalize(manifest.weights.path))) return { ...result, problems: [missingWeights(manifest)] }
  // Of a TF.js graph the hash goes over model.json and then its shards, or they could be exchanged unnoticed.
  const paths = graphPath ? await graphFiles(graphPath) : [weightsPath]
  const outside = paths.filter(path => !files.has(relative(folder, path).replaceAll('\\', '/')))
  if (outside.length > 0)
    return {
      ...result,
      problems: outside.map(path => `The graph's file ${path} is not in the package; copy the package again.`),
    }
  const { sha256, bytes } = await hashFiles(paths)
  if (sha256 === manifest.weights.sha256 && bytes === manifest.weights.bytes) {
    const elsewhere = manifest.runtime === 'onnx' ? await externalDataOf(weightsPath) : []
    return { ...result, problems: elsewhere.length > 0 ? [externalDataProblem(manifest.weights.path, elsewhere)] : [] }
  }
  return {
    ...result,
    problems: [
      `Weights ${manifest.weights.path} (${bytes} bytes, sha256 ${sha256}) are not the ones of the manifest (${manifest.weights.bytes} bytes, sha256 ${manifest.weights.sha256}); copy the package again.`,
    ],
  }
}

const missingWeights = ({ weights, sources }: ModelManifest): string => {
  const url = sources.find(({ use }) => use === 'weights')?.url
  return `Weights ${weights.path} are missing; copy them into the package folder${url ? `, they come from ${url}` : ''}.`
}

const derived = async (manifest: ModelManifest, cacheDir: string, earlier: readonly string[]): Promise<Weights> => {
  const { npmPackage, npmVersion, path, sha256 } = manifest.derivedFrom!
  const weightsPath = join(resolve(cacheDir), `${manifest.id}-${manifest.weights.sha256.slice(0, 16)}.onnx`)
  const refuse = (problem: string): Weights => ({ weightsPath, graphPath: null, problems: [problem] })
  const found = await findNpmPackage(npmPackage)
  if (found?.version !== npmVersion)
    return refuse(
      `The weights are made from the npm package ${npmPackage} ${npmVersion}, which is ${found ? `installed as ${found.version}` : 'not installed'}; install that version, e.g. with npm ci.`,
    )
  const graphPath = join(found.dir, path)
  if (!(await exists(graphPath)))
    return refuse(`${npmPackage} ${npmVersion} has no file ${path}; correct derivedFrom.path or install it again.`)
  const source = await hashFiles(await graphFiles(graphPath))
  if (source.sha256 !== sha256)
    return refuse(
      `${path} of ${npmPackage} and its shards have the sha256 ${source.sha256} instead of ${sha256}; install the package again.`,
    )
  if (manifest.runtime === 'tfjs') return { weightsPath: graphPath, graphPath, problems: [] }
  if (earlier.length > 0 || (await isIntact(weightsPath, manifest))) return { weightsPath, graphPath, problems: [] }
  return { weightsPath, graphPath, problems: await make(manifest, graphPath, weightsPath) }
}

const make = async (manifest: ModelManifest, graphPath: string, weightsPath: string): Promise<readonly string[]> => {
  try {
    await deriveWeights(manifest, graphPath, weightsPath)
  } catch (error) {
    return [`The weights could not be made at ${weightsPath}: ${sentenceOf(error)}`]
  }
  if (await isIntact(weightsPath, manifest)) return []
  const { sha256, bytes } = await hashFiles([weightsPath])
  return [
    `The weights made from ${manifest.derivedFrom!.npmPackage} (${bytes} bytes, sha256 ${sha256}) are not the ones of the manifest (${manifest.weights.bytes} bytes, sha256 ${manifest.weights.sha256}); the package was written for another version of the converter.`,
  ]
}

const isIntact = async (path: string, { weights }: ModelManifest): Promise<boolean> => {
  if (!(await exists(path))) return false
  const { sha256, bytes } = await hashFiles([path])
  return sha256 === weights.sha256 && bytes === weights.bytes
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  )
