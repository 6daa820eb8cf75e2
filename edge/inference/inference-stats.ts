import type { InferenceFailure } from './inference-error.js'

export interface ModelStats {
  /** `received = done + failed + waiting + running` holds at all times. */
  readonly received: number
  readonly done: number
  readonly failed: Readonly<Partial<Record<InferenceFailure, number>>>
  readonly waiting: number
  readonly running: number
  /** Time in the worker of the last frame, and its moving mean over about 20 frames; null before the first one. */
  readonly lastMs: number | null
  readonly meanMs: number | null
}

export interface InferenceStats {
  readonly workers: { readonly wanted: number; readonly running: number; readonly lost: number }
  readonly models: Readonly<Record<string, ModelStats>>
}

export interface ModelCounter {
  received(): void
  started(): void
  done(inferenceMs: number): void
  /** `running`: whether it had left the queue for a worker. */
  failed(reason: InferenceFailure, at: 'waiting' | 'running'): void
  read(): ModelStats
}

/** Weight of the newest frame in the moving mean. */
const newestWeight = 0.05

export const createModelCounter = (): ModelCounter => {
  const failed: Partial<Record<InferenceFailure, number>> = {}
  const count = { received: 0, done: 0, waiting: 0, running: 0 }
  let lastMs: number | null = null
  let meanMs: number | null = null
  return {
    received() {
      count.received++
      count.waiting++
    },
    started() {
      count.waiting--
      count.running++
    },
    done(inferenceMs) {
      count.running--
      count.done++
      lastMs = inferenceMs
      meanMs = meanMs === null ? inferenceMs : meanMs + (inferenceMs - meanMs) * newestWeight
    },
    failed(reason, at) {
      count[at]--
      failed[reason] = (failed[reason] ?? 0) + 1
    },
    read: () => ({ ...count, failed: { ...failed }, lastMs, meanMs }),
  }
}
