import { mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { tasksOf } from './analytics-of.js'
import { batchesOf } from './batches.js'
import { help, type Options, parseOptions, UsageError } from './options.js'
import { playBatch } from './play-batch.js'
import { writeReport } from './report/write-report.js'
import { replayScene } from './replay-scene.js'
import { replayText } from './replay-text.js'
import { type Result, resultOf } from './result.js'
import type { SeenIncident } from './run-records.js'
import { loadScenes, type Scene } from './scenes.js'
import { type SceneScore, scoreScene } from './score-scene.js'
import { scoreTracks } from './score-tracks.js'
import { textOf } from './text.js'

/** `npm run score`: argv, signals, exit code. */
const root = fileURLToPath(new URL('../../..', import.meta.url))
const exitCode = { good: 0, failed: 1, usage: 2 } as const
const say = (text: string): void => void process.stderr.write(`${text}\n`)

const main = async (): Promise<number> => {
  const options = parseOptions(process.argv.slice(2))
  if (options.help) {
    console.log(help)
    return exitCode.good
  }
  const stopping = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => stopping.abort(new Error(name)))
  const out = resolve(options.out ?? join(root, 'score'))
  mkdirSync(out, { recursive: true })
  const scenes = loadScenes(resolve(options.city ?? join(root, 'tests/fixtures/city')), {
    names: options.scenes,
    use: options.use,
  })
  if (scenes.length === 0) throw new UsageError(`No scene is marked for "${options.use}". Try --use all.`)
  if (options.replay) {
    for (const scene of scenes) console.log(replayText(await replayOne(scene, options, out, stopping.signal)))
    return exitCode.good
  }

  const { scores, incidents } = await playAll(scenes, options, out, stopping.signal)
  const result = resultOf(scores, incidents, { root, maxSeconds: options.maxSeconds })
  writeFileSync(join(out, 'score.json'), `${JSON.stringify(result, null, 2)}\n`)
  if (options.report) say(`Report    ${await writeReport({ out, scenes, scores, incidents, result })}`)
  if (options.json) console.log(JSON.stringify(result, null, 2))
  else console.log(textOf(result))
  return options.requireHolds && result.holds.some(({ reached }) => reached === false) ? exitCode.failed : exitCode.good
}

const replayOne = async (scene: Scene, { models }: Options, out: string, signal: AbortSignal): Promise<SceneScore> => {
  const run = await replayScene(scene, { root, folder: join(out, 'work', 'replay'), models, signal })
  return scoreScene(run, [], null)
}

const playAll = async (scenes: readonly Scene[], options: Options, out: string, signal: AbortSignal) => {
  const batches = batchesOf(scenes, options.cores)
  const scores: SceneScore[] = []
  const incidents: SeenIncident[] = []
  for (const [index, batch] of batches.entries()) {
    say(`Batch ${index + 1} of ${batches.length}: ${batch.map(({ name }) => name).join(', ')}`)
    const folder = join(out, 'work', `batch-${index + 1}`)
    const played = await playBatch(batch, {
      root,
      folder,
      maxSeconds: options.maxSeconds,
      models: options.models,
      say,
      signal,
    })
    incidents.push(...played.incidents)
    for (const [at, scene] of batch.entries()) {
      const follows = options.tracks && tasksOf(scene.truth).includes('traffic')
      if (follows) say(`  following the vehicles of ${scene.name}`)
      const configFile = played.configOf.get(scene.name)!
      const tracks = follows
        ? await scoreTracks(scene, { root, folder, configFile, maxSeconds: options.maxSeconds, signal })
        : null
      scores.push(scoreScene(played.runs[at]!, played.incidents, tracks))
    }
  }
  const order = (score: SceneScore) => scenes.findIndex(({ name }) => name === score.run.truth.scene)
  return { scores: scores.toSorted((a, b) => order(a) - order(b)), incidents }
}

export type { Result }

process.exitCode = await main().catch((error: unknown) => {
  if (error instanceof UsageError) {
    say(`error: ${error.message}\n\n${help}`)
    return exitCode.usage
  }
  say(`error: ${error instanceof Error ? error.message : String(error)}`)
  return exitCode.failed
})
