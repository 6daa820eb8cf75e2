import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseTruth, type Truth } from './truth.js'
import { upgradeTruth } from './upgrade-truth.js'

export interface Scene {
  readonly name: string
  /** Absolute path of the H.264 clip. */
  readonly clip: string
  readonly truth: Truth
}

export interface SceneChoice {
  /** By name; undefined: all of `use`. */
  readonly names: readonly string[] | undefined
  readonly use: 'score' | 'develop' | 'all'
}

/** Scenes below `folder` (one folder each with `<scene>.mp4` and `truth.json`), in the order of their names. */
export const loadScenes = (folder: string, { names, use }: SceneChoice): readonly Scene[] => {
  const known = readdirSync(folder, { withFileTypes: true })
    .filter(entry => existsSync(join(folder, entry.name, 'truth.json')))
    .map(entry => entry.name)
    .toSorted()
  const unknown = names?.filter(name => !known.includes(name)) ?? []
  if (unknown.length > 0)
    throw new Error(`There is no scene ${unknown.join(', ')} below ${folder}. There are: ${known.join(', ')}.`)
  return known
    .filter(name => names === undefined || names.includes(name))
    .map(name => loadScene(folder, name))
    .filter(({ truth }) => names !== undefined || use === 'all' || truth.use === use)
}

const loadScene = (folder: string, name: string): Scene => {
  const file = join(folder, name, 'truth.json')
  const clip = join(folder, name, `${name}.mp4`)
  const truth = parseTruth(upgradeTruth(readJson(file)), file)
  if (truth.scene !== name) throw new Error(`${file} says it is of scene "${truth.scene}", but it lies in ${name}/.`)
  if (!existsSync(clip)) throw new Error(`Scene ${name} has no clip: ${clip} is missing. Render it again.`)
  return { name, clip, truth }
}

const readJson = (file: string): unknown => {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new Error(`${file} is not JSON: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
}
