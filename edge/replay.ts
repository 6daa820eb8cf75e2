import { setImmediate as turn } from 'node:timers/promises'
import { InvalidConfigError } from '@watchpost/shared/config/config-error'
import { didYouMean } from '@watchpost/shared/config/did-you-mean'
import type { Evidence } from '@watchpost/shared/contracts/evidence'
import type { Logger } from 'pino'
import { createAnalytic } from './analytics/create-analytic.js'
import { viewOf, watchScene } from './cameras.js'
import type { AgentConfig, CameraConfig, SourceConfig } from './config/agent-config.js'
import { createEvidence, type EvidenceRoom } from './evidence/evidence.js'
import { createCadence } from './frames/cadence.js'
import { cutOut } from './frames/cut-out.js'
import type { Frame } from './frames/frame.js'
import { createInference } from './inference/inference.js'
import { loadModels } from './load-models.js'
import type { OutboxRecord } from './outbox/outbox.js'
import { createAnalysis, type EvidenceTaker, ruleIdOf } from './pipeline/analysis.js'
import { type ConditionReport, createCameraConditions } from './pipeline/camera-conditions.js'
import { createRule } from './rules/create-rule.js'

export interface ReplayOptions {
  readonly config: AgentConfig
  /** May be left out when the configuration has one camera. */
  readonly cameraId: string | undefined
  /** Where the frames come from, in place of the camera's own source. */
  readonly source: SourceConfig
  /** All frames of the recording at this camera's cadence, in order. */
  readonly frames: (camera: CameraConfig) => AsyncIterable<Frame>
  /** Folder for the pictures of events; none are taken without it. */
  readonly evidenceDir: string | undefined
  /** One JSON line; resolves when the reader can take more. */
  readonly write: (line: string) => Promise<void>
  /** One JSON line per frame with the vehicles that are followed: `{"at":ms,"tracks":[{"id","label","box"}]}`. */
  readonly writeTracks?: (line: string) => Promise<void>
  readonly onProgress: (progress: ReplayProgress) => void
  readonly log: Logger
}

export interface ReplayProgress {
  readonly frames: number
  /** Milliseconds of the recording so far. */
  readonly playedMs: number
  readonly observations: number
  readonly events: number
}

/** Runs a recording through the agent's own pipeline: every frame, in order, nothing dropped, the same output every time. */
export const replay = async (options: ReplayOptions): Promise<ReplayProgress> => {
  const { frames, write, writeTracks, onProgress, log } = options
  const configured = chooseCamera(options.config.cameras, options.cameraId)
  const camera = { ...configured, source: options.source }
  const config = { ...options.config, cameras: [camera] }
  const { packages, errors } = await loadModels(config)
  if (errors.length > 0) throw new InvalidConfigError('model packages', errors)
  const inference = createInference({ packages: [...packages.values()], workers: 1, log })
  const pictures = options.evidenceDir === undefined ? undefined : openPictures(config, options.evidenceDir, log)
  const progress = { frames: 0, playedMs: 0, observations: 0, events: 0 }

  const record = async (records: readonly OutboxRecord[]): Promise<void> => {
    for (const { type, cameraId, data } of records) {
      if (type === 'event.v1') progress.events++
      if (type === 'observation.v1') progress.observations++
      await write(`${JSON.stringify({ type, cameraId, ...data })}\n`)
    }
  }
  const analyses = camera.analytics.map(settings => {
    const { manifest } = packages.get(settings.model)!
    const view = viewOf(camera)
    const analysis = createAnalysis({
      cameraId: camera.id,
      analyticId: settings.id,
      analytic: createAnalytic(settings, {
        cameraId: camera.id,
        thresholds: manifest.thresholds,
        modelInput: manifest.input,
      }),
      rule: createRule(settings, { cameraId: camera.id, ...(view ? { view } : {}) }),
      detect: (frame, region) => inference.detect(manifest.id, region ? cutOut(frame, region) : frame),
      evidence: pictures ?? noPictures,
      record,
      ...(writeTracks
        ? { onTracks: (tracks, { takenAt }) => writeTracks(`${JSON.stringify({ at: takenAt, tracks })}\n`) }
        : {}),
    })
    return { id: ruleIdOf(camera.id, settings.id), analysis, cadence: createCadence(settings.fps) }
  })
  const conditions = createCameraConditions({ cameraIds: [camera.id], restored: undefined, record })
  const changes: ConditionReport[] = []
  const byId = new Map(analyses.map(({ id, analysis }) => [id, analysis]))
  const scene = camera.health.enabled ? watchScene(camera, byId, change => changes.push(change)) : undefined

  try {
    await pictures?.start()
    await inference.start()
    let firstAt: number | undefined
    for await (const frame of frames(camera)) {
      await pictures?.see(frame)
      scene?.see(frame)
      for (const change of changes.splice(0)) await conditions.report(change)
      for (const { analysis, cadence } of analyses)
        if (cadence.isDue(frame.takenAt)) await analysis.analyse(frame, { isFirstOfConnection: frame.number === 1 })
      progress.frames++
      firstAt ??= frame.takenAt
      progress.playedMs = frame.takenAt - firstAt
      onProgress(progress)
    }
  } finally {
    await pictures?.stop()
    await Promise.all(analyses.map(({ analysis }) => analysis.settled()))
    await inference.stop()
  }
  return progress
}

const chooseCamera = (cameras: readonly CameraConfig[], wanted: string | undefined): CameraConfig => {
  const ids = cameras.map(({ id }) => id)
  const camera = wanted === undefined && cameras.length === 1 ? cameras[0] : cameras.find(({ id }) => id === wanted)
  if (camera) return camera
  const meant = wanted === undefined ? undefined : didYouMean(wanted, ids)
  throw new InvalidConfigError('--camera', [
    {
      path: '',
      message:
        wanted === undefined ? 'is missing: the configuration has several cameras' : `names no camera (${wanted})`,
      hint: meant ? `Did you mean "${meant}"? Configured are ${ids.join(', ')}.` : `Name one of ${ids.join(', ')}.`,
    },
  ])
}

const noPictures: EvidenceTaker = { take: async () => [], takeAfter: async () => undefined }

/** The evidence room's own later picture goes by the wall clock; here it goes by the recording's. */
const afterMs = 1_000
const momentary: ReadonlySet<string> = new Set([
  'red-light',
  'wrong-way',
  'line-crossing',
  'no-entry',
  'illegal-stopping',
])

interface Pictures extends EvidenceTaker {
  start(): Promise<void>
  see(frame: Frame): Promise<void>
  stop(): Promise<void>
}

const openPictures = (config: AgentConfig, dir: string, log: Logger): Pictures => {
  const room: EvidenceRoom = createEvidence({ dir, ...config.evidence, log })
  const due: { readonly at: number; readonly give: (picture: Evidence | undefined) => void }[] = []
  return {
    start: room.start,
    async see(frame) {
      room.remember(frame)
      while (due[0] && due[0].at <= frame.takenAt) due.shift()!.give(await room.snapshot(frame, 'after'))
      // What waits for these pictures writes its lines before the frame is looked at, so the order is always the same.
      await turn()
    },
    take: room.take,
    takeAfter: ({ kind, phase }, frame) =>
      phase === 'began' && momentary.has(kind)
        ? new Promise(give => due.push({ at: frame.takenAt + afterMs, give }))
        : Promise.resolve(undefined),
    async stop() {
      for (const { give } of due.splice(0)) give(undefined)
      await room.stop()
    },
  }
}
