import { lstat, readdir } from 'node:fs/promises'
import { join, posix } from 'node:path'
import type { ModelManifest } from '@watchpost/shared/manifest/model-manifest'
import { packageLimits, pathProblem } from '@watchpost/shared/manifest/package-archive'
import { hashFiles } from './file-hash.js'

/** Path inside the folder → bytes. Regular files only: what else lies there is a problem. */
export type PackageFiles = ReadonlyMap<string, number>

export interface PackageListing {
  readonly files: PackageFiles
  readonly problems: readonly string[]
}

/**
 * Everything in a package folder, sorted. Links are refused: one could lead out of the package, and would change what was
 * checked without changing the package.
 */
export const listPackageFiles = async (folder: string): Promise<PackageListing> => {
  const files = new Map<string, number>()
  const problems: string[] = []
  const visit = async (path: string): Promise<void> => {
    const entries = await readdir(join(folder, path), { withFileTypes: true })
    for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      if (files.size > packageLimits.files) return
      const here = posix.join(path, entry.name)
      if (entry.isDirectory()) await visit(here)
      else if (entry.isSymbolicLink())
        problems.push(`${here} is a symbolic link; put the file itself into the package.`)
      else if (!entry.isFile()) problems.push(`${here} is no regular file; remove it from the package.`)
      else files.set(here, (await lstat(join(folder, here))).size)
    }
  }
  await visit('')
  return { files, problems: [...problems, ...sizeProblems(files), ...nameProblems(files)] }
}

const mebibytes = (bytes: number): string => `${(bytes / 1024 ** 2).toFixed(0)} MiB`

const sizeProblems = (files: PackageFiles): readonly string[] => {
  const { files: most, fileBytes, archiveBytes } = packageLimits
  if (files.size > most) return [`The package has more than ${most} files; keep only what belongs to the model in it.`]
  const total = [...files.values()].reduce((sum, bytes) => sum + bytes, 0)
  return [
    ...[...files]
      .filter(([, bytes]) => bytes > fileBytes)
      .map(([path, bytes]) => `${path} has ${mebibytes(bytes)}, allowed are ${mebibytes(fileBytes)}.`),
    ...(total > archiveBytes
      ? [
          `The package has ${mebibytes(total)}, allowed are ${mebibytes(archiveBytes)}; take out what the model does not need.`,
        ]
      : []),
  ]
}

const nameProblems = (files: PackageFiles): readonly string[] =>
  [...files.keys()].flatMap(path => {
    const problem = pathProblem(path)
    return problem ? [`${path} ${problem}; rename it.`] : []
  })

/** Golden pictures and answers are read whole, so their size is checked before. */
export const goldenFileProblems = (files: PackageFiles, { golden, runtime }: ModelManifest): readonly string[] => {
  if (golden.length === 0 && runtime !== 'scripted')
    return [
      'There are no golden samples, so nobody could tell whether the model still answers as it did; add one with "npm run model -- golden".',
    ]
  return golden
    .flatMap(({ image, expected }) => [image, expected])
    .flatMap(path => {
      const bytes = files.get(posix.normalize(path))
      if (bytes === undefined) return [`Golden file ${path} is missing; restore it or remove its entry.`]
      return bytes > packageLimits.goldenBytes
        ? [
            `Golden file ${path} has ${mebibytes(bytes)}, allowed are ${mebibytes(packageLimits.goldenBytes)}; use a smaller picture or a larger stride.`,
          ]
        : []
    })
}

/** Of a package that lists its files: which are others, missing or more than it says. */
export const sealProblems = async (
  folder: string,
  files: PackageFiles,
  { files: listed }: ModelManifest,
): Promise<readonly string[]> => {
  if (!listed) return []
  const problems: string[] = []
  for (const [path, bytes] of files) {
    if (path === 'manifest.json') continue
    const expected = listed[path]
    if (!expected)
      problems.push(`${path} is not among the files that the manifest lists; remove it, or sign the package again.`)
    else if (expected.bytes !== bytes || expected.sha256 !== (await hashFiles([join(folder, path)])).sha256)
      problems.push(`${path} is not the file that the manifest lists; copy the package again, or sign it again.`)
  }
  const missing = Object.keys(listed).filter(path => !files.has(path))
  return [...problems, ...missing.map(path => `${path} is listed in the manifest but missing; copy the package again.`)]
}
