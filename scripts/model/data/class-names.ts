import { readFile, readdir } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { parse } from 'yaml'
import { FailedError } from '../command.js'
import { isSplitName } from './walk.js'

/** Names of classes in the order of their numbers, from a text file with one per line or a YAML file with `names`. */
export const readClassNames = async (path: string): Promise<readonly string[]> => {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new FailedError(`Class names ${path} cannot be read: ${(cause as Error).message}`, { cause })
  })
  const names = /\.ya?ml$/i.test(path) ? namesOfYaml(text, path) : text.split(/\r?\n/).map(line => line.trim())
  while (names.at(-1) === '') names.pop()
  if (names.length > 0) return names
  throw new FailedError(`${path} names no class; write one per line, or "names:" in YAML.`)
}

const namesOfYaml = (text: string, path: string): string[] => {
  const names = (parseYaml(text, path) as { readonly names?: unknown } | null)?.names
  if (Array.isArray(names)) return names.map(String)
  if (typeof names !== 'object' || names === null)
    throw new FailedError(`${path} has no "names"; write a list, or number: name.`)
  const found: string[] = []
  for (const [number, name] of Object.entries(names)) found[Number(number)] = String(name)
  return Array.from(found, name => name ?? '')
}

const parseYaml = (text: string, path: string): unknown => {
  try {
    return parse(text)
  } catch (cause) {
    throw new FailedError(`${path} is not YAML: ${(cause as Error).message}`, { cause })
  }
}

export const isNamesFile = (path: string): boolean => /^(classes\.txt|obj\.names|classes\.names)$/i.test(basename(path))

/** Looks where tools put them: beside the pictures, in labels/, and above train/, val/ or test/. */
export const findClassNames = async (folder: string): Promise<readonly string[] | undefined> => {
  const above = isSplitName(basename(folder)) ? [dirname(folder)] : []
  for (const place of [folder, join(folder, 'labels'), ...above]) {
    const entries = await readdir(place).catch(() => [])
    const text = entries.find(isNamesFile)
    if (text) return readClassNames(join(place, text))
    for (const name of entries.filter(name => /\.ya?ml$/i.test(name)).toSorted()) {
      const names = await readClassNames(join(place, name)).catch(() => undefined)
      if (names) return names
    }
  }
  return undefined
}
