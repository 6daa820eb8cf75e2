import { InvalidConfigError } from '@watchpost/shared/config/config-error'
import type { Logger } from 'pino'
import { createAnalytic } from './analytics/create-analytic.js'
import { createCapture } from './capture/capture.js'
import type { AgentConfig, CameraConfig } from './config/agent-config.js'
import type { EvidenceRoom } from './evidence/evidence.js'
import { cutOut } from './frames/cut-out.js'
import type { Frame } from './frames/frame.js'
import { createFrames } from './frames/frames.js'
import { createSceneMonitor } from './frames/scene-monitor.js'
import type { CameraSnapshot } from './health/agent-snapshot.js'
import { createInference, type Inference } from './inference/inference.js'
import type { InferenceResult, ModelIdentity } from './inference/inference-result.js'
import type { ModelPackage } from './inference/model-package.js'
import { type LoadedModels, loadModels, type Overrides } from './load-models.js'
import type { RunningModel } from './models/running-model.js'
import type { Outbox } from './outbox/outbox.js'
import type { Recorder } from './outbox/recorder.js'
import { type Analysis, createAnalysis, learntIdOf, ruleIdOf } from './pipeline/analysis.js'
import {
  type CameraConditions,
  type ConditionReport,
  conditionsStateId,
  createCameraConditions,
} from './pipeline/camera-conditions.js'
import { createFailureCount } from './pipeline/failure-count.js'
import { endRemoved } from './pipeline/removed-cameras.js'
import { createSceneWatch, type SceneWatch } from './pipeline/scene-watch.js'
import { createRule } from './rules/create-rule.js'
import { endStored } from './rules/end-stored.js'

/** The part of the agent that new settings replace as a whole. */
export interface Cameras {
  /** Opens and checks the model packages; idempotent. @throws {InvalidConfigError} */
  prepare(): Promise<void>
  start(): Promise<void>
  /** Stops taking in, finishes the frames under way. Idempotent. */
  stop(): Promise<void>
  /** Resolves when pictures that were still to come are recorded; call it after the evidence room has stopped. */
  settled(): Promise<void>
  look(): readonly CameraSnapshot[]
  /** Those that cameras use; none before `prepare`. */
  models(): readonly RunningModel[]
  /** Puts another package in the place of a model, between two frames; analytics and rules keep their state. See `Inference.replace`. */
  swap(slot: string, next: ModelPackage, digest: string | null): Promise<void>
  /** @throws when the camera has shown no picture of late; `undefined` means the only camera there is. */
  newestFrame(cameraId: string | undefined): Frame
}

export interface CamerasContext {
  readonly outbox: Pick<Outbox, 'states'>
  readonly recorder: Pick<Recorder, 'record'>
  readonly evidence: EvidenceRoom
  readonly overrides?: Overrides
  /** Settings that run only until others can be taken again: a camera they do not name is not removed. */
  readonly isStandIn?: boolean
  /** Every frame a model has judged, and every one it could not. */
  readonly onJudged?: (slot: string, frame: Frame, result: InferenceResult) => void
  readonly onFailed?: (slot: string, error: Error) => void
  readonly log: Logger
}

/** A picture older than this does not show what is there now. */
const newestFrameMaxAgeMs = 30_000

/** capture → frames → inference → analytics → rules → evidence → recorder, for all cameras of one configuration. */
export const buildCameras = (config: AgentConfig, context: CamerasContext): Cameras => {
  const { outbox, recorder, evidence, log } = context
  const room = (name: string) => log.child({ room: name })
  const capture = createCapture(config.cameras, { log: room('capture'), dataDir: config.dataDir })
  const frames = createFrames(config.cameras, { log: room('frames') })
  const failures = createFailureCount(room('inference'))
  const newest = new Map<string, Frame>()
  const analyses = new Map<string, Analysis>()
  const scenes = new Map<string, SceneWatch>()
  const manifestOf = new WeakMap<ModelIdentity, ModelPackage['manifest']>()
  const standing = new Map<string, { package: ModelPackage; digest: string | null }>()
  /** In the pool a model goes by the id of its first package. */
  const poolIds = new Map<string, string>()
  let models: LoadedModels | undefined
  let inference: Inference | undefined
  let conditions: CameraConditions | undefined
  let isRunning = false

  const prepare = async (): Promise<LoadedModels> => {
    if (models) return models
    const loaded = await loadModels(config, context.overrides)
    if (loaded.errors.length > 0) throw new InvalidConfigError('model packages', loaded.errors)
    for (const [slot, model] of loaded.packages) {
      manifestOf.set(model.identity, model.manifest)
      standing.set(slot, { package: model, digest: loaded.digests.get(slot) ?? null })
      poolIds.set(slot, model.manifest.id)
    }
    models = loaded
    return loaded
  }

  const detect = async (slot: string, frame: Frame): Promise<InferenceResult> => {
    try {
      const result = await inference!.detect(poolIds.get(slot)!, frame)
      context.onJudged?.(slot, frame, result)
      return result
    } catch (error) {
      context.onFailed?.(slot, error as Error)
      throw error
    }
  }

  const build = (camera: CameraConfig, states: Readonly<Record<string, unknown>>): void => {
    const view = viewOf(camera)
    for (const settings of camera.analytics) {
      // The analytic looks these up at every frame: a package that takes over brings its own.
      const thresholds: Record<string, number> = {}
      const { width, height } = standing.get(settings.model)!.package.manifest.input
      const modelInput = { width, height }
      const ruleId = ruleIdOf(camera.id, settings.id)
      const rule = createRule(settings, { cameraId: camera.id, restored: states[ruleId], ...(view ? { view } : {}) })
      if (rule.restoreProblem)
        room('rules').warn({ ruleId, problem: rule.restoreProblem }, 'A stored state is not taken over')
      analyses.set(
        ruleId,
        createAnalysis({
          cameraId: camera.id,
          analyticId: settings.id,
          analytic: createAnalytic(settings, {
            cameraId: camera.id,
            thresholds,
            modelInput,
            restored: states[learntIdOf(camera.id, settings.id)],
          }),
          rule,
          detect: (frame, region) => detect(settings.model, region ? cutOut(frame, region) : frame),
          onModel: model => {
            const { thresholds: own, input } = manifestOf.get(model)!
            for (const label of Object.keys(thresholds)) delete thresholds[label]
            Object.assign(thresholds, own)
            Object.assign(modelInput, { width: input.width, height: input.height })
          },
          evidence,
          record: recorder.record,
        }),
      )
    }
    if (camera.health.enabled)
      scenes.set(
        camera.id,
        watchScene(camera, analyses, change => void conditions?.report(change)),
      )
  }

  capture.onFrame(frame => {
    newest.set(frame.cameraId, frame)
    evidence.remember(frame)
    scenes.get(frame.cameraId)?.see(frame)
    conditions?.sawFrame(frame.cameraId, frame.takenAt)
    frames.offer(frame)
  })
  capture.onCondition(change => void conditions?.report(change))
  frames.onReady(({ cameraId, analyticId, frame, isFirstOfConnection }) =>
    failures.guard({ cameraId, analyticId }, async () => {
      await analyses.get(ruleIdOf(cameraId, analyticId))!.analyse(frame, { isFirstOfConnection })
    }),
  )

  const runningModels = (): readonly RunningModel[] =>
    config.models.flatMap(({ id, path }) => {
      const model = standing.get(id)
      const cameras = config.cameras.filter(({ analytics }) => analytics.some(one => one.model === id))
      return model ? [{ slot: id, configuredPath: path, ...model, cameras: cameras.map(camera => camera.id) }] : []
    })

  return {
    prepare: async () => void (await prepare()),
    async start() {
      const { passedOver } = await prepare()
      const states = await outbox.states()
      inference = createInference({
        packages: [...standing.values()].map(one => one.package),
        workers: config.inference.workers,
        log: room('inference'),
      })
      conditions = createCameraConditions({
        cameraIds: config.cameras.map(({ id }) => id),
        restored: states[conditionsStateId],
        record: recorder.record,
      })
      for (const camera of config.cameras) build(camera, states)
      await inference.start()
      if (!context.isStandIn) {
        const removed = endRemoved({ cameras: config.cameras, states, endStored, nowMs: Date.now() })
        if (Object.keys(removed.states).length > 0) await recorder.record(removed.records, removed.states)
      }
      isRunning = true
      await capture.start()
      for (const model of runningModels()) context.overrides?.settle(model, passedOver.get(model.slot))
    },
    async stop() {
      isRunning = false
      await capture.stop()
      await frames.stop()
      await inference?.stop()
    },
    settled: async () => {
      await Promise.all([...analyses.values()].map(analysis => analysis.settled()))
    },
    look: () =>
      config.cameras.map(({ id, name, analytics }): CameraSnapshot => {
        const status = capture.status(id)
        const problem = conditions?.open(id)[0]
        const times = analytics.flatMap(analytic => analyses.get(ruleIdOf(id, analytic.id))?.inferenceMs() ?? [])
        return {
          cameraId: id,
          name,
          condition: problem?.condition ?? (status?.lastFrameAt == null ? 'starting' : 'ok'),
          problem: problem ? { message: problem.message, hint: problem.hint } : null,
          fps: Math.round((status?.fps ?? 0) * 100) / 100,
          decodeErrors: status?.decodeErrors ?? 0,
          reconnects: status?.reconnects ?? 0,
          lastFrameAgeMs: status?.lastFrameAt == null ? null : Math.max(0, Date.now() - status.lastFrameAt),
          inferenceMs: times.length === 0 ? null : Math.max(...times),
          dropped: { ...frames.dropped(id), ...failures.of(id) },
        }
      }),
    models: runningModels,
    async swap(slot, next, digest) {
      manifestOf.set(next.identity, next.manifest)
      if (isRunning) await inference!.replace(poolIds.get(slot)!, next)
      else poolIds.set(slot, next.manifest.id)
      standing.set(slot, { package: next, digest })
    },
    newestFrame(cameraId) {
      const known = config.cameras.map(({ id }) => id)
      const id = cameraId ?? (known.length === 1 ? known[0]! : undefined)
      if (id === undefined || !known.includes(id))
        throw new Error(
          `${id === undefined ? 'Name a camera' : `There is no camera "${id}"`}; this agent has ${known.join(', ')}.`,
        )
      const frame = newest.get(id)
      if (!frame || Date.now() - frame.takenAt > newestFrameMaxAgeMs)
        throw new Error(`Camera "${id}" has shown no picture of late; see its condition.`)
      return frame
    },
  }
}

/** Levels are measured at calibrated places of the picture; smoke and vehicles are found wherever they are. */
export const watchScene = (
  camera: CameraConfig,
  analyses: ReadonlyMap<string, Analysis>,
  report: (change: ConditionReport) => void,
): SceneWatch =>
  createSceneWatch({
    monitor: createSceneMonitor({ cameraId: camera.id, mayStandStill: camera.source.kind === 'folder' }),
    measuring: camera.analytics
      .filter(({ kind }) => kind === 'flood-level')
      .flatMap(({ id }) => analyses.get(ruleIdOf(camera.id, id)) ?? []),
    report,
  })

/** Both or nothing: a bearing without a field of view says nothing about a place in the picture. */
export const viewOf = ({ bearingDeg, fieldOfViewDeg }: CameraConfig) =>
  bearingDeg === undefined || fieldOfViewDeg === undefined ? undefined : { bearingDeg, fieldOfViewDeg }
