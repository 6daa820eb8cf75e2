import { readdir } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { isPictureName } from '../run-picture.js'

/** Pictures under a folder, sorted by path; folders named in `without` are passed over. */
export const picturesUnder = async (folder: string, without: readonly string[] = []): Promise<readonly string[]> => {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries
    .filter(entry => (entry.isFile() || entry.isSymbolicLink()) && isPictureName(entry.name))
    .map(entry => join(entry.parentPath, entry.name))
    .filter(
      path =>
        !path
          .slice(folder.length)
          .split(sep)
          .slice(0, -1)
          .some(part => without.includes(part)),
    )
    .toSorted()
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
