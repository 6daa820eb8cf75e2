import { type Static, Type } from '@sinclair/typebox'
import { cameraConditions } from './camera-health.js'
import { Epoch, Id, UtcTime } from './primitives.js'

/** Retained, and the agent's last will. An older epoch wins only by being online while the newer one is not. */
export const State = Type.Object(
  {
    status: Type.Union([Type.Literal('online'), Type.Literal('offline')]),
    epoch: Epoch,
    version: Type.String({ maxLength: 40 }),
    at: UtcTime,
  },
  { $id: 'State', additionalProperties: false },
)

const count = Type.Integer({ minimum: 0 })

export const CameraStatus = Type.Object(
  {
    cameraId: Id,
    condition: Type.Union([
      Type.Literal('ok'),
      Type.Literal('starting'),
      ...cameraConditions.map(c => Type.Literal(c)),
    ]),
    fps: Type.Number({ minimum: 0 }),
    decodeErrors: count,
    reconnects: count,
    lastFrameAgeMs: Type.Union([Type.Number({ minimum: 0 }), Type.Null()]),
    inferenceMs: Type.Union([Type.Number({ minimum: 0 }), Type.Null()]),
    dropped: Type.Record(Type.String(), count, { description: 'Frames dropped, by reason.' }),
  },
  { additionalProperties: false },
)

/** How the agent and its cameras are, every few seconds, not stored by the agent. */
export const Health = Type.Object(
  {
    at: UtcTime,
    cameras: Type.Array(CameraStatus),
    outbox: Type.Object({
      epoch: Epoch,
      size: count,
      oldestAgeMs: Type.Union([Type.Number({ minimum: 0 }), Type.Null()]),
      lastSeq: count,
      ackedSeq: count,
      deadLetters: count,
      thinned: count,
    }),
    evidence: Type.Object({ pending: count, bytes: count }),
    eventLoopLagMs: Type.Number({ minimum: 0 }),
  },
  { $id: 'Health', additionalProperties: false },
)

export type State = Static<typeof State>
export type CameraStatus = Static<typeof CameraStatus>
export type Health = Static<typeof Health>

export const stateExample: State = {
  status: 'online',
  epoch: 1793070000000,
  version: '0.1.0',
  at: '2026-10-27T03:04:05.678Z',
}

export const healthExample: Health = {
  at: '2026-10-27T03:04:05.678Z',
  cameras: [
    {
      cameraId: 'le-loi-1',
      condition: 'ok',
      fps: 1,
      decodeErrors: 0,
      reconnects: 0,
      lastFrameAgeMs: 420,
      inferenceMs: 31.2,
      dropped: { 'newer-frame': 3 },
    },
  ],
  outbox: { epoch: 1793070000000, size: 2, oldestAgeMs: 130, lastSeq: 42, ackedSeq: 40, deadLetters: 0, thinned: 0 },
  evidence: { pending: 1, bytes: 48213 },
  eventLoopLagMs: 1.4,
}
