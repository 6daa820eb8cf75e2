import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Event } from '@watchpost/shared/contracts/event'
import type { Observation } from '@watchpost/shared/contracts/observation'
import { stringify } from 'yaml'
import { cameraOf, modelsOf } from './lay-out-batch.js'
import type { LevelReading, SceneRun, SeenEvent } from './run-records.js'
import type { Scene } from './scenes.js'

/** A quarter of an hour for the slowest machine and the longest scene. */
const replayBoundMs = 900_000
export const replayStartedAt = '2026-01-01T00:00:00.000Z'

/** `watchpost-edge replay` with these arguments; rejects with what it says when it fails. */
export const runReplay = async (root: string, args: readonly string[], signal: AbortSignal): Promise<void> => {
  const edge = join(root, 'edge/bin/watchpost-edge.js')
  const all = [edge, 'replay', ...args, '--start', replayStartedAt, '--quiet']
  await promisify(execFile)(process.execPath, all, { timeout: replayBoundMs, signal })
}

/** What a replay writes: one JSON value a line. */
export const jsonLines = <T>(text: string): readonly T[] =>
  text
    .split('\n')
    .filter(Boolean)
    .map(line => JSON.parse(line) as T)

export interface ReplaySceneOptions {
  /** Of the repository. */
  readonly root: string
  /** For configuration and output of the replay; made if missing. */
  readonly folder: string
  /** Packages to use in place of the repository's, model id → folder. */
  readonly models: ReadonlyMap<string, string>
  readonly signal: AbortSignal
}

/** A scene's clip through the agent's own pipeline, every frame and no chain: what the agent would publish, at the time it is seen. */
export const replayScene = async (
  scene: Scene,
  { root, folder, models, signal }: ReplaySceneOptions,
): Promise<SceneRun> => {
  mkdirSync(folder, { recursive: true })
  const configFile = join(folder, `${scene.name}.replay.yaml`)
  const out = join(folder, `${scene.name}.replay.jsonl`)
  writeFileSync(
    configFile,
    stringify({
      version: 1,
      site: 'replay',
      agent: 'replay-1',
      dataDir: 'data',
      // A replay connects to nothing, but a configuration without a broker is none.
      mqtt: { url: 'mqtt://127.0.0.1:1883', username: 'replay-1', passwordFile: 'none' },
      evidence: { url: 'http://127.0.0.1:8080', tokenFile: 'none' },
      models: modelsOf([scene], root, models),
      modelCacheDir: join(root, '.cache/models'),
      cameras: [cameraOf(scene, 'rtsp://127.0.0.1/')],
    }),
  )
  await runReplay(root, ['--config', configFile, '--source', scene.clip, '--out', out], signal)
  return { ...replayedRun(readFileSync(out, 'utf8'), scene.name), truth: scene.truth, playedS: scene.truth.durationS }
}

type Line = ({ type: 'observation.v1' } & Observation) | ({ type: 'event.v1' } & Event)

/** Levels and events of a replay's JSON lines. */
export const replayedRun = (text: string, scene: string): Omit<SceneRun, 'truth' | 'playedS'> => {
  const lines = jsonLines<Line>(text)
  return {
    heldS: 0,
    levels: lines.flatMap(line => (line.type === 'observation.v1' ? levelOf(line) : [])),
    events: lines.flatMap(line => (line.type === 'event.v1' ? [eventOf(line, scene)] : [])),
    frames: { due: 0, dropped: {} },
    reconnects: 0,
  }
}

const secondOf = (utc: string): number => (Date.parse(utc) - Date.parse(replayStartedAt)) / 1000

const levelOf = ({ property, phenomenonTime, value, quality }: Observation): readonly LevelReading[] =>
  property === 'floodLevel' ? [{ t: secondOf(phenomenonTime), cm: value, quality }] : []

const eventOf = (event: Event, scene: string): SeenEvent => ({
  scene,
  happeningId: event.happeningId,
  kind: event.kind,
  phase: event.phase,
  t: secondOf(event.phenomenonTime),
  receivedT: secondOf(event.phenomenonTime),
  level: event.level ?? null,
  zone: event.zone ?? null,
  box: event.geometry?.box ?? null,
  bearingDeg: event.bearingDeg ?? null,
})
