import { type Static, Type } from '@sinclair/typebox'
import { Id, Quality, UtcTime } from './primitives.js'

export const observedProperties = {
  floodLevel: 'cm',
  floodRate: 'cm/h',
  floodShare: '1',
  smokeShare: '1',
  flameShare: '1',
  vehicleCount: '1',
  vehicleFlow: '1/min',
} as const

/** A value of one property at one time, with its quality. `value` is null when the quality is `suspended`. */
export const Observation = Type.Object(
  {
    analytic: Id,
    property: Type.Union(Object.keys(observedProperties).map(name => Type.Literal(name))),
    value: Type.Union([Type.Number(), Type.Null()]),
    unit: Type.String({ maxLength: 16 }),
    quality: Quality,
    reason: Type.Optional(Type.String({ maxLength: 200, description: 'Why the quality is not good.' })),
    phenomenonTime: UtcTime,
    model: Type.Optional(
      Type.Object({ id: Id, version: Type.String({ maxLength: 40 }) }, { additionalProperties: false }),
    ),
  },
  { $id: 'Observation', additionalProperties: false },
)

export type Observation = Static<typeof Observation>
export type ObservedProperty = keyof typeof observedProperties

export const observationExample: Observation = {
  analytic: 'flood',
  property: 'floodLevel',
  value: 31.5,
  unit: 'cm',
  quality: 'good',
  phenomenonTime: '2026-10-27T03:04:05.678Z',
  model: { id: 'water-segmentation', version: '0.1.0' },
}
