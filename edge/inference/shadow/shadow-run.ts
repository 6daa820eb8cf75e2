import type { Disagreement, ShadowReport } from '@watchpost/shared/contracts/shadow-report'
import type { Frame } from '../../frames/frame.js'
import { InferenceError } from '../inference-error.js'
import type { InferenceResult } from '../inference-result.js'
import type { Answer } from '../inference-thread.js'
import type { ModelPackage } from '../model-package.js'
import { createAgreement } from './agreement.js'
import { compare } from './compare.js'
import type { Comparison } from './comparison.js'
import { createPercentiles } from './percentiles.js'
import { createWorstFrames } from './worst-frames.js'

export interface ShadowRunOptions {
  /** Id of the model in the configuration. */
  readonly model: string
  readonly active: { readonly package: ModelPackage; readonly digest: string | null }
  readonly candidate: { readonly package: ModelPackage; readonly digest: string }
  readonly judge: (frame: Frame) => Promise<Pick<Answer, 'decoded' | 'inferenceMs' | 'cpuMs'>>
  /** Null: whichever cameras use the model. */
  readonly cameras: readonly string[] | null
  /** Of one core. */
  readonly cpuShare: number
  /** A small picture for people, on its way to central when it resolves. */
  readonly thumbnail: (frame: Frame) => Promise<{ readonly sha256: string }>
  /** The candidate could not judge a frame. */
  readonly onFailure: (error: Error) => void
  /** Unix milliseconds. */
  readonly now: () => number
}

export interface ShadowRun {
  /** A frame the active model has judged; returns at once, and the frame may never be looked at. */
  offer(frame: Frame, result: InferenceResult): void
  report(): ShadowReport
  /** No frame is begun any more; one that is under way counts when its answer comes, and as left out when `judge` is closed before. */
  stop(): void
}

interface Offered {
  readonly frame: Frame
  readonly result: InferenceResult
}

/**
 * A candidate beside the active model. Per camera the newest frame waits; whenever the candidate has not used up its share of a core,
 * the camera that has waited for its turn longest is next. What a newer frame displaced is counted: offered = compared + skipped + failed + waiting.
 */
export const createShadowRun = (options: ShadowRunOptions): ShadowRun => {
  const { active, candidate, cpuShare, now } = options
  const startedAtMs = now()
  const agreement = createAgreement()
  const latency = { active: createPercentiles(), candidate: createPercentiles() }
  const worst = createWorstFrames()
  const waiting = new Map<string, Offered>()
  const comparedOf = new Map<string, number>()
  const turnOf = new Map<string, number>()
  const skipped = { budget: 0, busy: 0, stopped: 0 }
  let [offered, compared, failed, cpuMs, judged] = [0, 0, 0, 0, 0]
  let [underWay, turns] = [0, 0]
  let freeAtMs = startedAtMs
  let timer: NodeJS.Timeout | undefined
  let isStopped = false

  const thresholds = { active: active.package.manifest.thresholds, candidate: candidate.package.manifest.thresholds }

  const note = (frame: Frame, comparison: Comparison): void => {
    const { score, onlyActive, onlyCandidate } = comparison
    if (!worst.wants({ cameraId: frame.cameraId, score }, frame.takenAt)) return
    const add = (thumbnail: string | null): void =>
      worst.add({
        cameraId: frame.cameraId,
        takenAt: new Date(frame.takenAt).toISOString(),
        score: Math.round(score * 1000) / 1000,
        thumbnail,
        onlyActive: onlyActive.map(plain),
        onlyCandidate: onlyCandidate.map(plain),
      })
    // Without its picture the finding still counts.
    options.thumbnail(frame).then(
      ({ sha256 }) => add(sha256),
      () => add(null),
    )
  }

  const judge = async ({ frame, result }: Offered): Promise<void> => {
    underWay = 1
    const beganAtMs = now()
    try {
      const answer = await options.judge(frame)
      spend(beganAtMs, answer.cpuMs ?? answer.inferenceMs)
      latency.candidate.add(answer.inferenceMs)
      const comparison = compare(
        { decoded: result.decoded, thresholds: thresholds.active },
        { decoded: answer.decoded, thresholds: thresholds.candidate },
      )
      if (!comparison) throw new Error('The two models give answers of different kinds')
      compared++
      comparedOf.set(frame.cameraId, (comparedOf.get(frame.cameraId) ?? 0) + 1)
      agreement.add(comparison)
      note(frame, comparison)
    } catch (error) {
      if (isClosed(error)) skipped.stopped++
      else {
        failed++
        options.onFailure(error as Error)
      }
    } finally {
      underWay = 0
    }
    next()
  }

  /** No credit is saved up: after a quiet hour the candidate may not take a whole core. */
  const spend = (beganAtMs: number, usedMs: number): void => {
    cpuMs += usedMs
    judged++
    freeAtMs = Math.max(freeAtMs, beganAtMs) + usedMs / cpuShare
  }

  const next = (): void => {
    if (isStopped || underWay > 0 || waiting.size === 0) return
    clearTimeout(timer)
    const pauseMs = freeAtMs - now()
    if (pauseMs > 0) {
      timer = setTimeout(next, pauseMs)
      return
    }
    const [cameraId] = [...waiting.keys()].toSorted((a, b) => (turnOf.get(a) ?? 0) - (turnOf.get(b) ?? 0))
    const one = waiting.get(cameraId!)!
    waiting.delete(cameraId!)
    turnOf.set(cameraId!, ++turns)
    void judge(one)
  }

  return {
    offer(frame, result) {
      if (isStopped || (options.cameras && !options.cameras.includes(frame.cameraId))) return
      offered++
      latency.active.add(result.inferenceMs)
      if (waiting.delete(frame.cameraId)) skipped[underWay > 0 ? 'busy' : 'budget']++
      waiting.set(frame.cameraId, { frame, result })
      next()
    },
    report: () => ({
      model: options.model,
      startedAt: new Date(startedAtMs).toISOString(),
      at: new Date(now()).toISOString(),
      active: { ...active.package.identity, digest: active.digest },
      candidate: { ...candidate.package.identity, digest: candidate.digest },
      unit: agreement.unit(),
      frames: { offered, compared, skipped: { ...skipped }, failed, waiting: waiting.size + underWay },
      cameras: [...comparedOf].map(([cameraId, count]) => ({ cameraId, compared: count })),
      agreement: agreement.share(),
      classes: agreement.classes(),
      latencyMs: { active: latency.active.read(), candidate: latency.candidate.read() },
      cpu: {
        allowedShare: cpuShare,
        usedShare: rounded(cpuMs / Math.max(1, now() - startedAtMs)),
        msPerFrame: judged === 0 ? null : rounded(cpuMs / judged),
      },
      disagreements: worst.list(),
    }),
    stop() {
      isStopped = true
      clearTimeout(timer)
      skipped.stopped += waiting.size
      waiting.clear()
    },
  }
}

/** The run was stopped and its worker closed: that says nothing about the candidate. */
const isClosed = (error: unknown): boolean => error instanceof InferenceError && error.reason === 'not-running'

const rounded = (value: number): number => Math.round(value * 1000) / 1000

/** As the wire has it: nothing beside what the contract names. */
const plain = ({ label, confidence, box }: Disagreement['onlyActive'][number]) => ({
  label,
  confidence: Math.min(1, Math.max(0, rounded(confidence))),
  box: box.map(side => Math.min(1, Math.max(0, rounded(side)))) as [number, number, number, number],
})
