import type { CameraCondition } from '@watchpost/shared/contracts/camera-health'
import { utcTime } from '@watchpost/shared/contracts/primitives'
import type { OutboxRecord } from '../outbox/outbox.js'

export interface ConditionReport {
  readonly cameraId: string
  readonly condition: CameraCondition
  readonly phase: 'began' | 'ended'
  readonly message: string
  readonly hint: string
  /** Unix milliseconds, UTC. */
  readonly at: number
}

export interface OpenCondition {
  readonly condition: CameraCondition
  readonly message: string
  readonly hint: string
  /** Unix milliseconds. */
  readonly since: number
}

export interface CameraConditionsOptions {
  readonly cameraIds: readonly string[]
  /** What was stored under `conditionsStateId` before the restart. */
  readonly restored: unknown
  readonly record: (records: readonly OutboxRecord[], states: Readonly<Record<string, unknown>>) => Promise<void>
  /** How long a camera must show pictures before a condition from before the restart counts as over. */
  readonly graceMs?: number
}

export interface CameraConditions {
  /** Recorded once per beginning and once per end, whoever reports it and however often the agent restarts. */
  report(change: ConditionReport): Promise<void>
  /** A picture arrived; ends what was open before the restart and has not come back since. */
  sawFrame(cameraId: string, atMs: number): void
  /** The oldest first. */
  open(cameraId: string): readonly OpenCondition[]
}

export const conditionsStateId = 'camera-conditions'

type OpenByCamera = Record<string, Record<string, OpenCondition>>

/** Remembers over restarts which conditions began and did not end, so that central never shows a camera as dead for ever. */
export const createCameraConditions = (options: CameraConditionsOptions): CameraConditions => {
  const { cameraIds, record, graceMs = 60_000 } = options
  const open: OpenByCamera = Object.fromEntries(cameraIds.map(id => [id, {}]))
  const inherited: OpenByCamera = restore(options.restored, cameraIds)
  const firstFrameAt = new Map<string, number>()

  const write = ({ cameraId, condition, phase, message, hint, at }: ConditionReport): Promise<void> => {
    const states = { [conditionsStateId]: { version: 1, open: merged(inherited, open) } }
    const data = {
      condition,
      phase,
      message: message.slice(0, 500),
      hint: hint.slice(0, 500),
      phenomenonTime: utcTime(at),
    }
    return record([{ cameraId, type: 'camera-health.v1', data }], states)
  }

  return {
    async report(change) {
      const { cameraId, condition, phase, message, hint, at } = change
      const ofCamera = open[cameraId]
      if (!ofCamera) return
      const before = inherited[cameraId]?.[condition]
      if (inherited[cameraId]) delete inherited[cameraId][condition]
      const isOpen = before !== undefined || ofCamera[condition] !== undefined
      if (phase === 'began') ofCamera[condition] ??= { condition, message, hint, since: before?.since ?? at }
      else delete ofCamera[condition]
      // It began before the restart and goes on: central knows.
      if ((phase === 'began') === isOpen) return
      await write(change)
    },
    sawFrame(cameraId, atMs) {
      const first = firstFrameAt.get(cameraId) ?? atMs
      firstFrameAt.set(cameraId, first)
      const left = inherited[cameraId]
      if (!left || atMs - first < graceMs) return
      delete inherited[cameraId]
      for (const { condition } of Object.values(left))
        void write({
          cameraId,
          condition,
          phase: 'ended',
          message: 'Over since the agent restarted',
          hint: '',
          at: atMs,
        })
    },
    open: cameraId => Object.values(open[cameraId] ?? {}).sort((a, b) => a.since - b.since),
  }
}

const merged = (a: OpenByCamera, b: OpenByCamera): OpenByCamera =>
  Object.fromEntries(Object.keys({ ...a, ...b }).map(id => [id, { ...a[id], ...b[id] }]))

/** By camera, of what is stored under `conditionsStateId`; nothing of a state that cannot be read. */
export const openConditionsIn = (stored: unknown): Readonly<OpenByCamera> => {
  const { version, open } = (stored ?? {}) as { version?: number; open?: OpenByCamera | null }
  return version === 1 && typeof open === 'object' && open !== null ? open : {}
}

const restore = (stored: unknown, cameraIds: readonly string[]): OpenByCamera => {
  const open = openConditionsIn(stored)
  return Object.fromEntries(
    cameraIds.flatMap(id => (open[id] && Object.keys(open[id]).length > 0 ? [[id, { ...open[id] }]] : [])),
  )
}
