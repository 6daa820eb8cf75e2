import { type Static, Type } from '@sinclair/typebox'
import { eventKinds } from './event-kinds.js'
import { Evidence, evidenceExample } from './evidence.js'
import { Box, Fraction, Id, Polygon, Seq, Severity, Sha256, UtcTime } from './primitives.js'

export { eventKinds }

export const EventKind = Type.Union(eventKinds.map(kind => Type.Literal(kind)))

/** Immutable fact: something began, changed or ended. All phases of one happening share `happeningId`. */
export const Event = Type.Object(
  {
    happeningId: Type.String({ minLength: 1, maxLength: 200 }),
    kind: EventKind,
    phase: Type.Union([Type.Literal('began'), Type.Literal('updated'), Type.Literal('ended')]),
    severity: Severity,
    confidence: Fraction,
    analytic: Id,
    phenomenonTime: UtcTime,
    measure: Type.Optional(
      Type.Object(
        { property: Type.String(), value: Type.Number(), unit: Type.String() },
        { additionalProperties: false },
      ),
    ),
    level: Type.Optional(Type.String({ maxLength: 64, description: 'Name of the alarm level that was reached.' })),
    zone: Type.Optional(Type.String({ maxLength: 64, description: 'Zone, lane, line or lamp the event belongs to.' })),
    geometry: Type.Optional(
      Type.Object(
        {
          box: Type.Optional(Box),
          polygon: Type.Optional(Polygon),
          label: Type.Optional(Type.String()),
          region: Type.Optional(
            Type.Unsafe<Box>({
              ...Box,
              description: 'The part of the picture that the model looked at; without it all of it.',
            }),
          ),
        },
        { additionalProperties: false },
      ),
    ),
    bearingDeg: Type.Optional(Type.Number({ minimum: 0, exclusiveMaximum: 360 })),
    model: Type.Optional(
      Type.Object({ id: Id, version: Type.String({ maxLength: 40 }), sha256: Sha256 }, { additionalProperties: false }),
    ),
    evidence: Type.Array(Evidence, { maxItems: 8 }),
    lost: Type.Optional(
      Type.Array(Type.Object({ fromSeq: Seq, toSeq: Seq }, { additionalProperties: false }), {
        description: 'data-loss only: sequence numbers that were thinned and will never arrive.',
      }),
    ),
  },
  { $id: 'Event', additionalProperties: false },
)

export type Event = Static<typeof Event>
export type EventKind = (typeof eventKinds)[number]
export type EventPhase = Event['phase']

export const eventExample: Event = {
  happeningId: 'le-loi-1/flood/1793070245678/level',
  kind: 'flood-level',
  phase: 'began',
  severity: 'major',
  confidence: 0.94,
  analytic: 'flood',
  phenomenonTime: '2026-10-27T03:04:05.678Z',
  measure: { property: 'floodLevel', value: 31.5, unit: 'cm' },
  level: 'impassable for motorbikes',
  zone: 'road',
  model: {
    id: 'water-segmentation',
    version: '0.1.0',
    sha256: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
  },
  evidence: [evidenceExample],
}
