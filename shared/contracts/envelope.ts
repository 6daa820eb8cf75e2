import { type Static, Type } from '@sinclair/typebox'
import { CameraHealth } from './camera-health.js'
import { Event, eventExample } from './event.js'
import { Observation, observationExample } from './observation.js'
import { Epoch, idPattern, Seq, UtcTime, Uuid } from './primitives.js'

const sourcePattern = `^/sites/(${idPattern.slice(1, -1)})/cameras/(${idPattern.slice(1, -1)})$`

const envelopeOf = <T extends string, D extends import('@sinclair/typebox').TSchema>(type: T, data: D) =>
  Type.Object(
    {
      specversion: Type.Literal('1.0'),
      id: Uuid,
      source: Type.String({ pattern: sourcePattern }),
      type: Type.Literal(type),
      time: UtcTime,
      datacontenttype: Type.Literal('application/json'),
      dataschema: Type.String(),
      epoch: Epoch,
      seq: Seq,
      data,
    },
    { additionalProperties: false },
  )

export const ObservationEnvelope = envelopeOf('observation.v1', Observation)
export const EventEnvelope = envelopeOf('event.v1', Event)
export const CameraHealthEnvelope = envelopeOf('camera-health.v1', CameraHealth)

/** CloudEvents 1.0 structured JSON with the extensions `epoch` and `seq`; `(agent, epoch, seq)` is its identity. */
export const Envelope = Type.Union([ObservationEnvelope, EventEnvelope, CameraHealthEnvelope], { $id: 'Envelope' })

/**
 * Payload of the `data` topic: envelopes of one epoch in ascending seq order. The batch is everything the agent still
 * holds after `afterSeq` and up to its last envelope, so what is missing between them will never arrive: when central
 * has committed up to `afterSeq`, it may acknowledge the last seq of the batch and need not wait for the holes.
 */
export const Batch = Type.Object(
  {
    epoch: Epoch,
    oldestSeq: Type.Integer({
      minimum: 1,
      description: 'The lowest seq the agent still holds: what lies below and is missing will never arrive.',
    }),
    afterSeq: Type.Optional(
      Type.Integer({ minimum: 0, description: 'Where this batch begins: nothing held was left out since this seq.' }),
    ),
    envelopes: Type.Array(Type.Unknown(), {
      minItems: 1,
      maxItems: 1000,
      description: 'Envelopes. Validated one by one, so that one bad message does not refuse its neighbours.',
    }),
  },
  { $id: 'Batch', additionalProperties: false },
)

export type ObservationEnvelope = Static<typeof ObservationEnvelope>
export type EventEnvelope = Static<typeof EventEnvelope>
export type CameraHealthEnvelope = Static<typeof CameraHealthEnvelope>
export type Envelope = ObservationEnvelope | EventEnvelope | CameraHealthEnvelope
export type EnvelopeType = Envelope['type']
export type Batch = Static<typeof Batch>

export const envelopeTypes = ['observation.v1', 'event.v1', 'camera-health.v1'] as const

/** URI reference of the JSON Schema document that describes `data`. */
export const dataSchemaOf = (type: EnvelopeType): string => `/schemas/${type}.json`

export const cameraSource = (siteId: string, cameraId: string): string => `/sites/${siteId}/cameras/${cameraId}`

/** Splits an envelope's `source`; undefined when it is not a camera of a site. */
export const parseCameraSource = (source: string): { siteId: string; cameraId: string } | undefined => {
  const [, sites, siteId, cameras, cameraId, ...rest] = source.split('/')
  if (sites !== 'sites' || cameras !== 'cameras' || !siteId || !cameraId || rest.length > 0) return undefined
  return { siteId, cameraId }
}

export const eventEnvelopeExample: EventEnvelope = {
  specversion: '1.0',
  id: '019a2f3c-5b7e-7c11-9d0a-0c3f5a1b2c3d',
  source: '/sites/an-cuu/cameras/le-loi-1',
  type: 'event.v1',
  time: '2026-10-27T03:04:05.700Z',
  datacontenttype: 'application/json',
  dataschema: '/schemas/event.v1.json',
  epoch: 1793070000000,
  seq: 42,
  data: eventExample,
}

export const observationEnvelopeExample: ObservationEnvelope = {
  ...eventEnvelopeExample,
  id: '019a2f3c-5b7e-7c11-9d0a-0c3f5a1b2c3e',
  type: 'observation.v1',
  dataschema: '/schemas/observation.v1.json',
  seq: 41,
  data: observationExample,
}

export const batchExample: Batch = {
  epoch: 1793070000000,
  oldestSeq: 41,
  afterSeq: 40,
  envelopes: [observationEnvelopeExample, eventEnvelopeExample],
}
