import { createHash, randomUUID } from 'node:crypto'
import { mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { archiveOf, filesOfArchive, packageLimits } from '@watchpost/shared/manifest/package-archive'
import { ModelPackageError, sentenceOf } from './inference-error.js'
import { listPackageFiles } from './package-files.js'

export interface PackedPackage {
  readonly archive: Uint8Array
  /** Of the archive: the digest of the package as it is distributed. Equal folders have equal digests. */
  readonly sha256: string
}

/** A package folder as an archive. Rejects with a ModelPackageError when something in it cannot be packed. */
export const packFolder = async (folder: string): Promise<PackedPackage> => {
  const { files, problems } = await listPackageFiles(folder)
  if (problems.length > 0) throw refusal(`Model package ${folder} cannot be packed:`, problems)
  const paths = [...files.keys()]
  const archive = archiveOf(
    await Promise.all(paths.map(async path => ({ path, bytes: await readFile(join(folder, path)) }))),
  )
  return { archive, sha256: createHash('sha256').update(archive).digest('hex') }
}

export interface UnpackOptions {
  /** What the archive's SHA-256 must be; an archive that was only handed over by hand has none. */
  readonly sha256?: string
}

/**
 * Unpacks an archive into a folder that must not be there yet; the folder appears whole or not at all. Only the archive is checked: load
 * the package afterwards. Rejects with a ModelPackageError.
 */
export const unpackArchive = async (
  archivePath: string,
  target: string,
  options: UnpackOptions = {},
): Promise<void> => {
  const refuse = (problem: string): never => {
    throw refusal(`${archivePath} is refused:`, [problem])
  }
  const { size } = await stat(archivePath)
  if (size > packageLimits.archiveBytes) refuse('It is larger than 1 GiB.')
  const archive = await readFile(archivePath)
  const sha256 = createHash('sha256').update(archive).digest('hex')
  if (options.sha256 !== undefined && sha256 !== options.sha256)
    refuse(`Its sha256 is ${sha256} instead of ${options.sha256}; fetch it again.`)
  const folder = resolve(target)
  if (await stat(folder).catch(() => undefined)) refuse(`${folder} is there already; name another folder.`)
  const part = join(dirname(folder), `.${randomUUID()}.part`)
  try {
    for (const { path, bytes } of filesOf(archive, refuse)) {
      await mkdir(dirname(join(part, path)), { recursive: true })
      await writeDurably(join(part, path), bytes)
    }
    await rename(part, folder)
  } finally {
    await rm(part, { recursive: true, force: true })
  }
}

const filesOf = (archive: Uint8Array, refuse: (problem: string) => never) => {
  try {
    return filesOfArchive(archive)
  } catch (error) {
    return refuse(sentenceOf(error))
  }
}

/** A package that is promoted must survive a power cut. */
const writeDurably = async (path: string, bytes: Uint8Array): Promise<void> => {
  const file = await open(path, 'wx', 0o644)
  try {
    await writeFile(file, bytes)
    await file.sync()
  } finally {
    await file.close()
  }
}

const refusal = (sentence: string, problems: readonly string[]): ModelPackageError =>
  new ModelPackageError([sentence, ...problems.map(problem => `  - ${problem}`)].join('\n'))
