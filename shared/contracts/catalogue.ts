import type { TSchema } from '@sinclair/typebox'
import { Health, healthExample, State, stateExample } from './agent-status.js'
import { CameraHealth, cameraHealthExample } from './camera-health.js'
import { Ack, ackExample, Nack, nackExample } from './delivery.js'
import { Batch, batchExample, Envelope, eventEnvelopeExample, observationEnvelopeExample } from './envelope.js'
import { Event, eventExample } from './event.js'
import { Evidence, evidenceExample } from './evidence.js'
import { Observation, observationExample } from './observation.js'
import { ShadowReports, shadowReportsExample } from './shadow-report.js'
import {
  Command,
  CommandReply,
  commandExample,
  commandReplyExample,
  Desired,
  desiredExample,
  desiredModelExample,
  modelCommandExample,
  Reported,
  reportedExample,
  reportedModelExample,
} from './twin.js'

export interface CatalogueEntry {
  readonly schema: TSchema
  readonly examples: readonly unknown[]
}

/** Every message schema with its examples, by the name of its published document. */
export const catalogue: Readonly<Record<string, CatalogueEntry>> = {
  'observation.v1': { schema: Observation, examples: [observationExample] },
  'event.v1': { schema: Event, examples: [eventExample] },
  'camera-health.v1': { schema: CameraHealth, examples: [cameraHealthExample] },
  'evidence.v1': { schema: Evidence, examples: [evidenceExample] },
  'envelope.v1': { schema: Envelope, examples: [observationEnvelopeExample, eventEnvelopeExample] },
  'data.v1': { schema: Batch, examples: [batchExample] },
  'state.v1': { schema: State, examples: [stateExample] },
  'health.v1': { schema: Health, examples: [healthExample] },
  'ack.v1': { schema: Ack, examples: [ackExample] },
  'nack.v1': { schema: Nack, examples: [nackExample] },
  'desired.v1': { schema: Desired, examples: [desiredExample, desiredModelExample] },
  'reported.v1': { schema: Reported, examples: [reportedExample, reportedModelExample] },
  'shadow.v1': { schema: ShadowReports, examples: [shadowReportsExample] },
  'command.v1': { schema: Command, examples: [commandExample, modelCommandExample] },
  'command-reply.v1': { schema: CommandReply, examples: [commandReplyExample] },
}
