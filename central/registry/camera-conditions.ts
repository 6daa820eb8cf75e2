import type { CommittedRecord } from '../ingest/committed-record.js'
import type { SavedCondition } from './registry-store.js'

/** Conditions of cameras as their events told, in whatever order those arrived. */
export interface CameraConditions {
  /** Returns what changed. Idempotent; an event older than what is known changes nothing. */
  apply(records: readonly CommittedRecord[]): readonly SavedCondition[]
  /** Conditions that began and have not ended, newest first. */
  activeOf(cameraId: string): readonly SavedCondition[]
}

export const createCameraConditions = (saved: readonly SavedCondition[]): CameraConditions => {
  const cameras = new Map<string, Map<string, SavedCondition>>()
  const conditionsOf = (cameraId: string) => {
    const found = cameras.get(cameraId) ?? new Map<string, SavedCondition>()
    cameras.set(cameraId, found)
    return found
  }
  for (const condition of saved) conditionsOf(condition.cameraId).set(condition.condition, condition)

  const applyOne = ({ cameraId, envelope }: CommittedRecord): SavedCondition[] => {
    if (envelope.type !== 'camera-health.v1') return []
    const { condition, phase, message, hint, phenomenonTime } = envelope.data
    const known = conditionsOf(cameraId).get(condition)
    if (known !== undefined && known.since > phenomenonTime) return []
    const next = { cameraId, condition, active: phase === 'began', since: phenomenonTime, message, hint }
    conditionsOf(cameraId).set(condition, next)
    return [next]
  }

  return {
    apply: records => records.flatMap(applyOne),
    activeOf: cameraId =>
      [...(cameras.get(cameraId)?.values() ?? [])]
        .filter(condition => condition.active)
        .sort((a, b) => b.since.localeCompare(a.since)),
  }
}
