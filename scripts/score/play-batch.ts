import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type CentralClient, signIn, waitUntilReady } from '../simulated-city/central-client.js'
import { startCityStreams } from '../simulated-city/streams/city-streams.js'
import { createSupervisor, type Supervisor } from '../simulated-city/supervisor.js'
import { type CameraCounters, readCounters } from './agent-counters.js'
import { settings, tasksOf } from './analytics-of.js'
import type { Batch } from './batches.js'
import { type LaidOutAgent, type LaidOutBatch, layOutBatch } from './lay-out-batch.js'
import { readEvents, readIncidents, readLevels, type SecondOf } from './read-central.js'
import type { SceneRun, SeenIncident } from './run-records.js'
import type { Scene } from './scenes.js'

export interface PlayOptions {
  /** Of the repository. */
  readonly root: string
  readonly folder: string
  /** Only so many seconds of each scene. */
  readonly maxSeconds: number | undefined
  /** Packages to use in place of the repository's, model id → folder. */
  readonly models: ReadonlyMap<string, string>
  readonly say: (text: string) => void
  readonly signal: AbortSignal
}

export interface PlayedBatch {
  readonly runs: readonly SceneRun[]
  readonly incidents: readonly SeenIncident[]
  /** The agents' configurations, for a closer look at one scene. */
  readonly configOf: ReadonlyMap<string, string>
}

const centralReadyMs = 90_000
const warmMs = 240_000
const deliveredMs = 60_000
const pollMs = 1_000
/** What an agent sees of the last frames, it tells within this. */
const afterglowMs = 3_000

/**
 * Shows each scene once, from its first frame, to real agents that report to a real central, and reads from central what they
 * said. Streams hold their first picture until every camera is connected and every model has judged a frame.
 * Rejects when a part of the chain does not start, ends early or does not deliver.
 */
export const playBatch = async (batch: Batch, options: PlayOptions): Promise<PlayedBatch> => {
  const { root, folder, models, say, signal } = options
  const streams = await startCityStreams({
    sources: batch.map(({ name, clip }) => ({ name, file: clip })),
    loop: false,
    start: 'by-hand',
  })
  let supervisor: Supervisor | undefined
  try {
    const urlOf = (scene: string) => streams.streams.find(({ name }) => name === scene)!.url
    const laidOut = await layOutBatch({ root, folder, batch, streamOf: urlOf, models })
    const failures: string[] = []
    supervisor = createSupervisor({
      logDir: laidOut.logDir,
      onExit: (name, reason) => failures.push(`${name} ended (${reason})\n${lastLines(laidOut.logDir, name)}`),
    })
    const check = (): void => {
      signal.throwIfAborted()
      if (failures.length > 0) throw new Error(`The chain broke: ${failures.join('\n')}`)
    }
    const client = await startChain(laidOut, supervisor)
    const warmAt = await untilWarm(laidOut, client, check)
    const beganAt = Date.now()
    streams.begin()
    say(`  all ${batch.length} cameras are warm; playing ${Math.ceil(Math.max(...batch.map(playedOf(options))))} s`)
    const counters = await watchPlay(laidOut.agents, batch.map(playedOf(options)), beganAt, check, signal)
    await untilDelivered(laidOut, check)

    const startedAt = new Map(streams.streams.map(({ name, startedAt: at }) => [name, Date.parse(at ?? '')]))
    const secondOf: SecondOf = (scene, utc) => (Date.parse(utc) - startedAt.get(scene)!) / 1000
    const events = await readEvents(client, secondOf)
    const runs: SceneRun[] = []
    for (const scene of batch) {
      const playedS = playedOf(options)(scene)
      runs.push({
        truth: scene.truth,
        playedS,
        heldS: (beganAt - warmAt.get(scene.name)!) / 1000,
        levels: tasksOf(scene.truth).includes('flood') ? await readLevels(client, scene.name, secondOf) : [],
        events: events.filter(event => event.scene === scene.name && event.t <= playedS),
        ...frameCounts(scene, playedS, counters.before.get(scene.name), counters.after.get(scene.name)),
      })
    }
    const isPlayed = ({ scene, openedT }: SeenIncident) =>
      openedT <= runs.find(run => run.truth.scene === scene)!.playedS
    const configOf = laidOut.agents.flatMap(({ scenes, configFile }) =>
      scenes.map(({ name }) => [name, configFile] as const),
    )
    return {
      runs,
      incidents: (await readIncidents(client, secondOf)).filter(isPlayed),
      configOf: new Map(configOf),
    }
  } finally {
    await supervisor?.stop()
    await streams.close()
  }
}

const playedOf =
  ({ maxSeconds = Number.POSITIVE_INFINITY }: PlayOptions) =>
  ({ truth }: Scene): number =>
    Math.min(truth.durationS, maxSeconds)

const startChain = async (laidOut: LaidOutBatch, supervisor: Supervisor): Promise<CentralClient> => {
  supervisor.keep(laidOut.central)
  await waitUntilReady(`${laidOut.centralUrl}/readyz`, centralReadyMs)
  const client = await signIn(laidOut.centralUrl, laidOut.user.name, laidOut.user.password)
  supervisor.keep(...laidOut.agents.map(agent => agent.process))
  return client
}

type CountersByScene = Map<string, CameraCounters>

const countersOf = async (agents: readonly LaidOutAgent[]): Promise<{ cameras: CountersByScene; waiting: number }> => {
  const all = await Promise.all(agents.map(({ metricsUrl }) => readCounters(metricsUrl)))
  return {
    cameras: new Map(all.flatMap(({ cameras }) => [...cameras])),
    waiting: all.reduce((sum, { waiting }) => sum + waiting, 0),
  }
}

/** Resolves with the moment from which each camera was being judged. */
const untilWarm = async (laidOut: LaidOutBatch, client: CentralClient, check: () => void) => {
  const scenes = laidOut.agents.flatMap(agent => agent.scenes.map(({ name }) => name))
  const warmAt = new Map<string, number>()
  const until = Date.now() + warmMs
  for (;;) {
    check()
    const counters = await countersOf(laidOut.agents).catch(() => undefined)
    for (const [name, { inferenceS }] of counters?.cameras ?? [])
      if (inferenceS !== null && !warmAt.has(name)) warmAt.set(name, Date.now() - pollMs)
    const online = warmAt.size === scenes.length ? await client.cameras().catch(() => []) : []
    if (scenes.every(name => online.some(({ id, condition }) => id === name && condition === 'ok'))) return warmAt
    if (Date.now() > until)
      throw new Error(
        coldMessage(
          laidOut,
          scenes.filter(name => !warmAt.has(name)),
        ),
      )
    await sleep(pollMs)
  }
}

const coldMessage = ({ agents, logDir }: LaidOutBatch, cold: readonly string[]): string =>
  [
    `The cameras were not all seen by their models and by central within ${warmMs / 1000} s${cold.length > 0 ? `: ${cold.join(', ')}` : ''}.`,
    ...agents.map(({ id }) => `--- end of ${id}.log\n${lastLines(logDir, id)}`),
    'Play fewer scenes at once (--cores 0.5), or see the logs.',
  ].join('\n')

/** Waits until the longest scene is over; the counters are those at the end of each scene. */
const watchPlay = async (
  agents: readonly LaidOutAgent[],
  playedS: readonly number[],
  beganAt: number,
  check: () => void,
  signal: AbortSignal,
) => {
  const { cameras: before } = await countersOf(agents)
  const after: CountersByScene = new Map(before)
  const endsAt = new Map(
    agents.flatMap(({ scenes }) => scenes.map(({ name, truth }) => [name, truth.durationS * 1000])),
  )
  const lastMs = Math.max(...playedS) * 1000
  for (;;) {
    check()
    const elapsedMs = Date.now() - beganAt
    if (elapsedMs >= lastMs) return { before, after }
    for (const [name, counters] of (await countersOf(agents)).cameras)
      if (elapsedMs < Math.min(endsAt.get(name) ?? 0, lastMs)) after.set(name, counters)
    await sleep(Math.min(pollMs, Math.max(1, lastMs - elapsedMs)), undefined, { signal }).catch(() => undefined)
  }
}

const untilDelivered = async (laidOut: LaidOutBatch, check: () => void): Promise<void> => {
  await sleep(afterglowMs)
  const until = Date.now() + deliveredMs
  for (;;) {
    check()
    const { waiting } = await countersOf(laidOut.agents)
    if (waiting === 0) return
    if (Date.now() > until)
      throw new Error(`Agents still hold ${waiting} messages that central did not take within a minute.`)
    await sleep(pollMs)
  }
}

const frameCounts = (scene: Scene, playedS: number, before?: CameraCounters, after?: CameraCounters) => {
  const reasons = Object.keys(after?.dropped ?? {})
  const fps = tasksOf(scene.truth).reduce((sum, task) => sum + settings[task].fps, 0)
  return {
    frames: {
      due: Math.round(fps * playedS),
      dropped: Object.fromEntries(
        reasons.map(reason => [reason, after!.dropped[reason]! - (before?.dropped[reason] ?? 0)]),
      ),
    },
    reconnects: (after?.reconnects ?? 0) - (before?.reconnects ?? 0),
  }
}

const shownLines = 8
const lastLines = (logDir: string, name: string): string => {
  const file = join(logDir, `${name}.log`)
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n').slice(-shownLines).join('\n') : '(no log)'
}
