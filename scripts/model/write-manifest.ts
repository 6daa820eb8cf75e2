import { randomUUID } from 'node:crypto'
import { rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Whole or not at all: a torn manifest would make the package useless. Text is written as it is. */
export const writeManifest = async (folder: string, manifest: object | string): Promise<void> => {
  // Beside the folder, not in it: a leftover would be a file that the manifest does not list.
  const part = join(folder, '..', `.manifest-${randomUUID()}.part`)
  try {
    await writeFile(part, typeof manifest === 'string' ? manifest : `${JSON.stringify(manifest, null, 2)}\n`)
    await rename(part, join(folder, 'manifest.json'))
  } finally {
    await rm(part, { force: true })
  }
}
