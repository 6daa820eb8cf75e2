import type { Event } from '@watchpost/shared/contracts/event'
import type { Evidence } from '@watchpost/shared/contracts/evidence'
import type { Box } from '@watchpost/shared/contracts/primitives'
import type { Analytic, FollowedVehicle } from '../analytics/analytic.js'
import type { Frame } from '../frames/frame.js'
import type { InferenceResult, ModelIdentity } from '../inference/inference-result.js'
import type { OutboxRecord } from '../outbox/outbox.js'
import type { EventDraft, Rule } from '../rules/rule.js'

/** Pictures for events; see the evidence room. Neither method rejects. */
export interface EvidenceTaker {
  take(draft: EventDraft, frame: Frame): Promise<readonly Evidence[]>
  takeAfter(draft: EventDraft, frame: Frame): Promise<Evidence | undefined>
}

export interface AnalysisOptions {
  readonly cameraId: string
  readonly analyticId: string
  readonly analytic: Analytic
  readonly rule: Rule
  /** Judges a frame, or the part of it that `region` names in fractions. */
  readonly detect: (frame: Frame, region?: Box) => Promise<InferenceResult>
  /** Another package judges from this frame on (also at the first one): called before the analytic sees its result. */
  readonly onModel?: (model: ModelIdentity) => void
  readonly evidence: EvidenceTaker
  readonly record: (records: readonly OutboxRecord[], states: Readonly<Record<string, unknown>>) => Promise<void>
  /** Of analytics that follow vehicles, once per frame. */
  readonly onTracks?: (tracks: readonly FollowedVehicle[], frame: Frame) => Promise<void>
}

export interface Analysis {
  /**
   * One frame from picture to records; resolves when they are recorded. Frames in the order of `takenAt`, one at a time.
   * Rejects when the model could not judge the frame; nothing was recorded then and the next frame may be given.
   */
  analyse(frame: Frame, connection: { readonly isFirstOfConnection: boolean }): Promise<void>
  /** See `Analytic.suspend`. */
  suspend(reason: string | null): void
  /** Running mean of the time in the model; null before the first frame. */
  inferenceMs(): number | null
  /** Resolves when pictures that were still to come are recorded. */
  settled(): Promise<void>
}

/** Where a rule's state is kept in the outbox. */
export const ruleIdOf = (cameraId: string, analyticId: string): string => `${cameraId}/${analyticId}`
/** The same for what the analytic before it has learnt; ids of cameras and analytics hold no slash. */
export const learntIdOf = (cameraId: string, analyticId: string): string => `${cameraId}/${analyticId}/learnt`

const newestWeight = 0.1

/** One camera and one analytic: detect → analytic → rule → evidence → record. */
export const createAnalysis = (options: AnalysisOptions): Analysis => {
  const { cameraId, analytic, rule, detect, evidence, record, onModel } = options
  const ruleId = ruleIdOf(cameraId, options.analyticId)
  const learntId = learntIdOf(cameraId, options.analyticId)
  const afterPictures = new Set<Promise<void>>()
  let meanMs: number | null = null
  let judgedBy: ModelIdentity | undefined
  let storedState = JSON.stringify(rule.state())
  let storedLearnt: unknown

  const eventOf = (draft: EventDraft, model: ModelIdentity, pictures: readonly Evidence[]): OutboxRecord => ({
    cameraId,
    type: 'event.v1',
    data: { ...draft, model, evidence: [...pictures] } satisfies Event,
  })

  /** The event is durable at once; the picture of a second later follows as its update. */
  const followUp = async (draft: EventDraft, model: ModelIdentity, frame: Frame): Promise<void> => {
    const after = await evidence.takeAfter(draft, frame)
    if (!after) return
    const update: EventDraft = { ...draft, phase: 'updated', phenomenonTime: after.takenAt }
    await record([eventOf(update, model, [after])], {})
  }

  /** Only what changed: a state is written with the events that changed it. */
  const changedStates = (): Readonly<Record<string, unknown>> => {
    const changed: Record<string, unknown> = {}
    const [state, learnt] = [rule.state(), analytic.state?.()]
    const text = JSON.stringify(state)
    if (text !== storedState) changed[ruleId] = state
    if (learnt !== storedLearnt) changed[learntId] = learnt
    storedState = text
    storedLearnt = learnt
    return changed
  }

  const judge = async (frame: Frame) => {
    const wanted = analytic.closeUp?.(frame)
    if (!wanted) {
      const result = await detect(frame)
      return { result, inferenceMs: result.inferenceMs }
    }
    const { region, withWhole } = wanted
    const near = await detect(frame, region)
    const whole = withWhole ? await detect(frame) : null
    const inferenceMs = near.inferenceMs + (whole?.inferenceMs ?? 0)
    return { result: whole ?? near, closeUp: { region, result: near }, inferenceMs }
  }

  return {
    async analyse(frame, { isFirstOfConnection }) {
      if (isFirstOfConnection) analytic.reset()
      const { result, closeUp, inferenceMs } = await judge(frame)
      meanMs = meanMs === null ? inferenceMs : meanMs + (inferenceMs - meanMs) * newestWeight
      if (judgedBy !== result.model) {
        judgedBy = result.model
        onModel?.(result.model)
      }
      const { observations, readings, tracks } = analytic.update({ frame, result, ...(closeUp ? { closeUp } : {}) })
      if (tracks && options.onTracks) await options.onTracks(tracks, frame)
      const drafts = rule.evaluate(readings, frame.takenAt)
      const states = changedStates()
      const events: OutboxRecord[] = []
      for (const draft of drafts) events.push(eventOf(draft, result.model, await evidence.take(draft, frame)))
      const records = [
        ...observations.map((data): OutboxRecord => ({ cameraId, type: 'observation.v1', data })),
        ...events,
      ]
      if (records.length > 0 || Object.keys(states).length > 0) await record(records, states)
      for (const draft of drafts) {
        const following = followUp(draft, result.model, frame).finally(() => afterPictures.delete(following))
        afterPictures.add(following)
      }
    },
    suspend: reason => analytic.suspend(reason),
    inferenceMs: () => meanMs,
    settled: async () => {
      await Promise.all(afterPictures)
    },
  }
}
