import { type Static, Type } from '@sinclair/typebox'
import { UtcTime } from './primitives.js'

export const cameraConditions = [
  'offline',
  'unauthorised',
  'not-a-video',
  'stalled',
  'frozen',
  'black',
  'covered',
  'moved',
  'blurred',
  'clock-skew',
] as const

/** A camera's condition began or ended. Debounced at the edge; says what to do. */
export const CameraHealth = Type.Object(
  {
    condition: Type.Union(cameraConditions.map(name => Type.Literal(name))),
    phase: Type.Union([Type.Literal('began'), Type.Literal('ended')]),
    message: Type.String({ maxLength: 500 }),
    hint: Type.String({ maxLength: 500 }),
    phenomenonTime: UtcTime,
  },
  { $id: 'CameraHealth', additionalProperties: false },
)

export type CameraHealth = Static<typeof CameraHealth>
export type CameraCondition = (typeof cameraConditions)[number]

export const cameraHealthExample: CameraHealth = {
  condition: 'unauthorised',
  phase: 'began',
  message: 'RTSP server answered 401 Unauthorized',
  hint: 'Check source.username and source.passwordFile of this camera.',
  phenomenonTime: '2026-10-27T03:04:05.678Z',
}
