import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface NpmPackage {
  readonly dir: string
  readonly version: string
}

/** Looks where Node would look, by hand: packages need not export their package.json. */
export const findNpmPackage = async (name: string): Promise<NpmPackage | undefined> => {
  for (let dir = dirname(fileURLToPath(import.meta.url)); ; dir = dirname(dir)) {
    const candidate = join(dir, 'node_modules', name)
    const text = await readFile(join(candidate, 'package.json'), 'utf8').catch(() => undefined)
    if (text !== undefined) return { dir: candidate, version: (JSON.parse(text) as { version: string }).version }
    if (dir === dirname(dir)) return undefined
  }
}
