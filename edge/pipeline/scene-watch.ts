import type { Frame } from '../frames/frame.js'
import type { SceneCondition, SceneMonitor } from '../frames/scene-monitor.js'
import type { Analysis } from './analysis.js'
import type { ConditionReport } from './camera-conditions.js'

export interface SceneWatchOptions {
  readonly monitor: Pick<SceneMonitor, 'offer'>
  /** Those whose readings depend on where exactly the camera looks. */
  readonly measuring: readonly Pick<Analysis, 'suspend'>[]
  readonly report: (change: ConditionReport) => void
}

export interface SceneWatch {
  /** Every captured frame, before it is analysed. */
  see(frame: Frame): void
}

/** A blurred lens is left to the analytic's own judgement: rain on the glass and floods come together. */
const blinding: ReadonlySet<SceneCondition> = new Set(['black', 'covered', 'frozen', 'moved'])

/** What is wrong with the picture is reported, and measuring is suspended while the picture cannot be trusted. */
export const createSceneWatch = ({ monitor, measuring, report }: SceneWatchOptions): SceneWatch => {
  const reasons = new Map<SceneCondition, string>()
  return {
    see(frame) {
      for (const change of monitor.offer(frame)) {
        report(change)
        if (!blinding.has(change.condition)) continue
        if (change.phase === 'began') reasons.set(change.condition, change.message)
        else reasons.delete(change.condition)
        const [reason] = reasons.values()
        for (const analysis of measuring) analysis.suspend(reason ?? null)
      }
    },
  }
}
