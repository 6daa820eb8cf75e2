import type { CaptureCondition, Diagnosis } from './diagnosis.js'

export interface ConditionChange {
  readonly cameraId: string
  readonly condition: CaptureCondition
  readonly phase: 'began' | 'ended'
  readonly message: string
  readonly hint: string
  /** Unix milliseconds, UTC. */
  readonly at: number
}

export interface ConditionTracker {
  /** A connection was lost or could not be made. */
  lost(diagnosis: Diagnosis): void
  /** Pictures flow. */
  flowing(): void
  /** What holds now; null when the camera is fine or still starting. */
  current(): CaptureCondition | null
  close(): void
}

export interface ConditionTrackerOptions {
  readonly cameraId: string
  /** How long a camera may be away before it counts as offline: a quick reconnect is nobody's business. */
  readonly offlineAfterMs: number
  readonly now: () => number
  readonly emit: (change: ConditionChange) => void
}

/** Pictures must flow for so long before a condition ends, or a camera that comes and goes would begin and end all day. */
const steadyMs = 2_000

/**
 * At most one condition of a camera holds at a time. Clear answers (unauthorised, not a video) and stalls begin at once, `offline`
 * only after a while; a new cause replaces the old one.
 */
export const createConditionTracker = (options: ConditionTrackerOptions): ConditionTracker => {
  const { cameraId, offlineAfterMs, now, emit } = options
  let held: Diagnosis | null = null
  let latest: Diagnosis | null = null
  let offlineTimer: NodeJS.Timeout | undefined
  /** Monotonic milliseconds of the first picture since the last loss. */
  let flowingSince: number | undefined

  const end = (message: string): void => {
    if (held === null) return
    emit({ cameraId, condition: held.condition, phase: 'ended', message, hint: '', at: now() })
    held = null
  }
  const begin = (diagnosis: Diagnosis): void => {
    if (held?.condition === diagnosis.condition) return
    end(`Replaced by: ${diagnosis.message}`.slice(0, 500))
    held = diagnosis
    const { condition, message, hint } = diagnosis
    emit({ cameraId, condition, phase: 'began', message, hint, at: now() })
  }

  return {
    lost(diagnosis) {
      flowingSince = undefined
      latest = diagnosis
      if (diagnosis.condition !== 'offline' || held !== null) return begin(diagnosis)
      offlineTimer ??= setTimeout(() => {
        offlineTimer = undefined
        if (latest !== null) begin(latest)
      }, offlineAfterMs)
    },
    flowing() {
      latest = null
      clearTimeout(offlineTimer)
      offlineTimer = undefined
      // By a later picture, not by a timer: a stream that stalls after its first picture has not come back.
      flowingSince ??= performance.now()
      if (performance.now() - flowingSince >= steadyMs) end('Pictures arrive again')
    },
    current: () => held?.condition ?? null,
    close() {
      clearTimeout(offlineTimer)
    },
  }
}
