import { readdir, realpath, stat } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { isPictureName } from '../run-picture.js'

/** Pictures under a folder, sorted by path; folders named in `without` are passed over. */
export const picturesUnder = async (folder: string, without: readonly string[] = []): Promise<readonly string[]> =>
  (await filesUnder(folder, without)).filter(isPictureName)

/** All files under a folder, sorted by path, also behind links; folders named in `without` are passed over. */
export const filesUnder = async (folder: string, without: readonly string[] = []): Promise<readonly string[]> => {
  const files: string[] = []
  // A link to a folder above would go round for ever.
  const visit = async (here: string, above: readonly string[]): Promise<void> => {
    const real = await realpath(here)
    if (above.includes(real)) return
    for (const entry of await readdir(here, { withFileTypes: true })) {
      const path = join(here, entry.name)
      const kind = entry.isSymbolicLink() ? await stat(path).catch(() => entry) : entry
      if (!kind.isDirectory()) files.push(path)
      else if (!without.includes(entry.name)) await visit(path, [...above, real])
    }
  }
  await visit(folder, [])
  return files.toSorted()
}

const splits = ['train', 'training', 'val', 'valid', 'validation', 'test', 'testing']
/** Of a part of a data set that is laid out as the others are. */
export const isSplitName = (name: string): boolean => splits.includes(name.toLowerCase())

export const withoutExtension = (path: string): string => path.replace(/\.[^./\\]+$/, '')

/** `…/images/a/b.jpg` → `…/labels/a/b`: the last folder of that name counts. */
export const twinFolder = (path: string, from: string, to: string): string | undefined => {
  const parts = path.split(sep)
  const at = parts.lastIndexOf(from)
  return at < 0 ? undefined : parts.with(at, to).join(sep)
}
