import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { hotaScore } from './metrics/hota.js'
import { identityScore } from './metrics/idf1.js'
import { type FoundFrame, trackFramesOf } from './metrics/track-ground.js'
import { jsonLines, replayStartedAt, runReplay } from './replay-scene.js'
import type { Scene } from './scenes.js'
import type { TrackScore } from './score-scene.js'

export interface ReplayOptions {
  readonly root: string
  /** For the tracks of the scene. */
  readonly folder: string
  /** The agent's configuration in which the scene is a camera. */
  readonly configFile: string
  /** Only so many seconds of it. */
  readonly maxSeconds: number | undefined
  readonly signal: AbortSignal
}

/**
 * How well vehicles keep their identity. Messages carry no identities, so the clip goes through the agent's own pipeline once
 * more, as a replay: every frame at the camera's cadence, so these figures do not depend on the machine's speed.
 */
export const scoreTracks = async (
  { name, clip, truth }: Scene,
  { root, folder, configFile, maxSeconds, signal }: ReplayOptions,
): Promise<TrackScore> => {
  const tracksFile = join(folder, `${name}.tracks.jsonl`)
  const source =
    maxSeconds === undefined ? clip : await firstSeconds(clip, maxSeconds, join(folder, `${name}.part.mp4`))
  const from = ['--config', configFile, '--camera', name, '--source', source]
  await runReplay(root, [...from, '--tracks', tracksFile, '--out', join(folder, `${name}.replay.jsonl`)], signal)
  const frames = trackFramesOf(truth, readTracks(readFileSync(tracksFile, 'utf8')))
  return { frames: frames.length, ...identityScore(frames), ...hotaScore(frames) }
}

/** Cut without decoding, so at the first key frame after it. */
const firstSeconds = async (clip: string, seconds: number, part: string): Promise<string> => {
  await promisify(execFile)('ffmpeg', [
    '-v',
    'error',
    '-y',
    '-i',
    `file:${clip}`,
    '-t',
    String(seconds),
    '-c',
    'copy',
    part,
  ])
  return part
}

interface TrackLine {
  readonly at: number
  readonly tracks: readonly { readonly id: number; readonly box: [number, number, number, number] }[]
}

export const readTracks = (text: string): readonly FoundFrame[] =>
  jsonLines<TrackLine>(text).map(({ at, tracks }) => ({
    t: (at - Date.parse(replayStartedAt)) / 1000,
    tracks: tracks.map(({ id, box }) => ({ id: String(id), box })),
  }))
