import { utcTime } from '@watchpost/shared/contracts/primitives'
import type { CommittedRecord } from '../ingest/committed-record.js'
import type { SavedCondition } from './registry-store.js'

/** Conditions of cameras as their events told, in whatever order those arrived. */
export interface CameraConditions {
  /**
   * Returns what changed. Idempotent; an event older than what is known changes nothing. A time ahead of central's clock
   * comes from a gateway whose own was: such an event counts when it arrives, and whatever comes after it is newer.
   */
  apply(records: readonly CommittedRecord[]): readonly SavedCondition[]
  /** Conditions that began and have not ended, newest first. */
  activeOf(cameraId: string): readonly SavedCondition[]
}

/** Clocks that are kept by NTP differ by less. */
const mostAheadMs = 60_000
/** Of a time that says nothing. */
const longAgo = utcTime(0)

/** `now`: Unix ms; an older central may have saved times that are ahead of it. */
export const createCameraConditions = (saved: readonly SavedCondition[], now: number): CameraConditions => {
  const cameras = new Map<string, Map<string, SavedCondition>>()
  const conditionsOf = (cameraId: string) => {
    const found = cameras.get(cameraId) ?? new Map<string, SavedCondition>()
    cameras.set(cameraId, found)
    return found
  }
  for (const condition of saved)
    conditionsOf(condition.cameraId).set(condition.condition, {
      ...condition,
      since: isAhead(condition.since, now) ? longAgo : condition.since,
    })

  const applyOne = ({ cameraId, envelope, receivedAt }: CommittedRecord): SavedCondition[] => {
    if (envelope.type !== 'camera-health.v1') return []
    const { condition, phase, message, hint, phenomenonTime } = envelope.data
    const known = conditionsOf(cameraId).get(condition)
    if (known !== undefined && known.since > phenomenonTime) return []
    const since = isAhead(phenomenonTime, receivedAt) ? longAgo : phenomenonTime
    const next = { cameraId, condition, active: phase === 'began', since, message, hint }
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

/** A time that cannot be read says as little. */
const isAhead = (time: string, now: number): boolean => !(Date.parse(time) <= now + mostAheadMs)
