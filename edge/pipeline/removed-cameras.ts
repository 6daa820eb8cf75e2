import { utcTime } from '@watchpost/shared/contracts/primitives'
import type { CameraConfig } from '../config/agent-config.js'
import type { OutboxRecord } from '../outbox/outbox.js'
import type { EventDraft } from '../rules/rule.js'
import { ruleIdOf } from './analysis.js'
import { conditionsStateId, openConditionsIn } from './camera-conditions.js'

export interface RemovedCamerasOptions {
  /** Those that are watched from now on. */
  readonly cameras: readonly Pick<CameraConfig, 'id' | 'analytics'>[]
  /** As the outbox holds them. */
  readonly states: Readonly<Record<string, unknown>>
  /** `ended` for all that a rule's stored state holds open. */
  readonly endStored: (state: unknown, analyticId: string, atMs: number) => readonly EventDraft[]
  /** Unix milliseconds. */
  readonly nowMs: number
}

export interface RemovedCameras {
  readonly records: readonly OutboxRecord[]
  /** To be stored with the records; null takes a state away. */
  readonly states: Readonly<Record<string, unknown>>
}

/** A camera or an analytic that is watched no more says nothing more: what it left open is ended for it, once. */
export const endRemoved = ({ cameras, states, endStored, nowMs }: RemovedCamerasOptions): RemovedCameras => {
  const watched = new Set(cameras.flatMap(({ id, analytics }) => analytics.map(analytic => ruleIdOf(id, analytic.id))))
  // Of what an analytic has learnt (a third part of the id) nothing is open; it is of use when the camera comes back.
  const gone = Object.keys(states).filter(id => id.split('/').length === 2 && !watched.has(id))
  const events = gone.flatMap(id => {
    const [cameraId = '', analyticId = ''] = id.split('/')
    return endStored(states[id], analyticId, nowMs).map(
      (draft): OutboxRecord => ({ cameraId, type: 'event.v1', data: { ...draft, evidence: [] } }),
    )
  })

  const open = openConditionsIn(states[conditionsStateId])
  const isWatched = (cameraId: string): boolean => cameras.some(({ id }) => id === cameraId)
  const stays = Object.fromEntries(Object.entries(open).filter(([cameraId]) => isWatched(cameraId)))
  const conditions = Object.entries(open).flatMap(([cameraId, held]) =>
    isWatched(cameraId)
      ? []
      : Object.values(held).map(
          ({ condition }): OutboxRecord => ({
            cameraId,
            type: 'camera-health.v1',
            data: {
              condition,
              phase: 'ended',
              message: 'The camera is not watched any more',
              hint: '',
              phenomenonTime: utcTime(nowMs),
            },
          }),
        ),
  )
  return {
    records: [...events, ...conditions],
    states: {
      ...Object.fromEntries(gone.map(id => [id, null])),
      ...(conditions.length > 0 ? { [conditionsStateId]: { version: 1, open: stays } } : {}),
    },
  }
}
