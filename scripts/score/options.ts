import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { modelOf } from './analytics-of.js'

export interface Options {
  readonly help: boolean
  readonly json: boolean
  /** By name; undefined: all of `use`. */
  readonly scenes: readonly string[] | undefined
  readonly use: 'score' | 'develop' | 'all'
  readonly maxSeconds: number | undefined
  readonly cores: number
  readonly tracks: boolean
  readonly report: boolean
  readonly requireHolds: boolean
  /** No chain and no incidents: only what the agent would say of each clip. */
  readonly replay: boolean
  /** Packages in place of the repository's, model id → folder. */
  readonly models: ReadonlyMap<string, string>
  readonly out: string | undefined
  /** Folder of scenes; undefined: those of the repository. */
  readonly city: string | undefined
}

export class UsageError extends Error {}

/** Two scenes that need little and show all parts of the chain: enough for every change, in two minutes. */
const shortScenes = ['flood-street', 'junction']
const shortSeconds = 45
/** Of the machine; the rest is for central, the broker and the streams. */
const coreShare = 0.65

export const help = `Usage: npm run score -- [--json] [--scenes a,b | --use score|develop|all | --short] [options]

Plays scenes of the simulated city as live RTSP cameras to real agents, which report through a broker to a real central;
then holds what central says against the truth. Writes score/report.html and score/score.json.

  --scenes A,B       these scenes
  --use WHICH        all scenes kept for scoring (score, the default), those that are developed on (develop), or all
  --short            ${shortScenes.join(' and ')}, the first ${shortSeconds} s of each: under two minutes
  --seconds N        only the first N seconds of each scene
  --cores N          play as many scenes at once as N cores carry (default: ${coreShare} of the machine's)
  --no-tracks        leave out IDF1 and HOTA, which need a replay of each traffic scene
  --no-report        leave out report.html
  --replay           no chain: each clip through the agent's pipeline, as fast as it goes; levels, fires and violations as a table
  --model ID=DIR     the package in DIR in place of models/ID; may be repeated
  --city DIR         scenes of your own, in place of tests/fixtures/city
  --out DIR          in place of score/
  --json             the result as JSON on standard output, and nothing else there (with npm: npm run --silent score)
  --require-holds    exit code 1 when a hold was measured and missed

Exit code 0: scored, however well; 1: the chain failed; 2: called wrongly.`

/** @throws {UsageError} */
export const parseOptions = (argv: readonly string[]): Options => {
  const { values } = parse(argv)
  const use = values.use ?? 'score'
  if (use !== 'score' && use !== 'develop' && use !== 'all')
    throw new UsageError(`--use ${use}: it is score, develop or all.`)
  if (values.short && values.scenes !== undefined)
    throw new UsageError('--short chooses the scenes; leave out --scenes.')
  for (const name of ['json', 'short', 'seconds', 'require-holds'] as const)
    if (values.replay && values[name] !== undefined)
      throw new UsageError(`--replay plays whole clips and prints a table; leave out --${name}.`)
  const scenes = values.short ? shortScenes : values.scenes?.split(',').filter(Boolean)
  if (scenes?.length === 0) throw new UsageError('--scenes names no scene.')
  return {
    help: values.help ?? false,
    json: values.json ?? false,
    scenes,
    use,
    maxSeconds: positive('seconds', values.seconds) ?? (values.short ? shortSeconds : undefined),
    cores: positive('cores', values.cores) ?? availableParallelism() * coreShare,
    tracks: !values['no-tracks'],
    report: !values['no-report'],
    requireHolds: values['require-holds'] ?? false,
    replay: values.replay ?? false,
    models: new Map(values.model?.map(modelFolder)),
    out: values.out,
    city: values.city,
  }
}

const parse = (argv: readonly string[]) => {
  try {
    return parseArgs({
      args: [...argv],
      options: {
        help: { type: 'boolean', short: 'h' },
        json: { type: 'boolean' },
        scenes: { type: 'string' },
        use: { type: 'string' },
        short: { type: 'boolean' },
        seconds: { type: 'string' },
        cores: { type: 'string' },
        'no-tracks': { type: 'boolean' },
        'no-report': { type: 'boolean' },
        'require-holds': { type: 'boolean' },
        replay: { type: 'boolean' },
        model: { type: 'string', multiple: true },
        out: { type: 'string' },
        city: { type: 'string' },
      },
    })
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

const modelFolder = (text: string): [string, string] => {
  const [, id, folder] = /^([^=]+)=(.+)$/.exec(text) ?? []
  if (id === undefined || folder === undefined)
    throw new UsageError(`--model ${text}: write ID=DIR, for example water-segmentation=/tmp/candidate.`)
  if (!(Object.values(modelOf) as string[]).includes(id))
    throw new UsageError(`--model ${text}: scenes use ${Object.values(modelOf).join(', ')}.`)
  return [id, resolve(folder)]
}

const positive = (name: string, text: string | undefined): number | undefined => {
  if (text === undefined) return undefined
  const value = Number(text)
  if (!(value > 0)) throw new UsageError(`--${name} ${text} is no number above 0.`)
  return value
}
