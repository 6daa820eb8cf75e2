import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** A video to serve, and where the truth about it is. */
export interface StreamSource {
  /** `rtsp://host:port/{name}` */
  readonly name: string
  readonly file: string
  readonly truthFile?: string | undefined
  /** Scene seconds per second; that of the whole city when absent. */
  readonly speed?: number | undefined
}

export interface Scene extends StreamSource {
  readonly truthFile: string
  /** From truth.json, as far as it says so. */
  readonly facts: Readonly<Record<'family' | 'use' | 'light' | 'weather' | 'durationS' | 'fps', string>>
}

/** Says which scenes there are when one is asked for that is not. */
export class UnknownSceneError extends Error {}

/** The scenes of the repository, by name. A folder is a scene when its clip and its truth are there. */
export const listScenes = (folder = cityFolder()): Scene[] =>
  readdirSync(folder, { withFileTypes: true })
    .filter(entry => entry.isDirectory())
    .map(({ name }) => ({ name, file: join(folder, name, `${name}.mp4`), truthFile: join(folder, name, 'truth.json') }))
    .filter(({ file, truthFile }) => existsSync(file) && existsSync(truthFile))
    .map(scene => ({ ...scene, facts: factsOf(scene.truthFile) }))
    .sort((a, b) => a.name.localeCompare(b.name))

/** Reads `scene` or `name=FILE`. Throws `UnknownSceneError`. */
export const parseSource = (text: string, scenes: readonly Scene[]): StreamSource => {
  const [name = '', ...file] = text.split('=')
  if (file.length > 0) {
    if (!/^[\w.-]+$/.test(name)) {
      throw new UnknownSceneError(
        `"${name}" is no name for a stream; write NAME=FILE with letters, digits, "-", "_" and "." in the name.`,
      )
    }
    return { name, file: file.join('=') }
  }
  const scene = scenes.find(known => known.name === name)
  if (scene === undefined) {
    throw new UnknownSceneError(
      `There is no scene "${name}"; the scenes are ${scenes.map(known => known.name).join(', ')}, and any video can be served as NAME=FILE.`,
    )
  }
  return scene
}

/** Found from here upwards: this file runs as source in tests and from `scripts/dist` otherwise. */
const cityFolder = (): string => {
  let folder = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(folder, 'tests/fixtures/city'))) {
    if (folder === dirname(folder))
      throw new Error('tests/fixtures/city is missing; run this in a checkout of the repository.')
    folder = dirname(folder)
  }
  return join(folder, 'tests/fixtures/city')
}

const factsOf = (truthFile: string): Scene['facts'] => {
  const truth = JSON.parse(readFileSync(truthFile, 'utf8')) as Record<string, unknown>
  const text = (key: string): string => {
    const value = truth[key]
    return value === undefined ? '' : Array.isArray(value) ? value.join(', ') : String(value)
  }
  return {
    family: text('family'),
    use: text('use'),
    light: text('light'),
    weather: text('weather'),
    durationS: text('durationS') || lengthOf(truth),
    fps: text('fps'),
  }
}

/** Older truth does not say how long the clip is; its frames do. */
const lengthOf = ({ frames, fps }: Record<string, unknown>): string => {
  const last = Array.isArray(frames) ? (frames.at(-1) as { t?: number } | undefined)?.t : undefined
  return last === undefined ? '' : String(Math.round(last + 1 / Number(fps)))
}
