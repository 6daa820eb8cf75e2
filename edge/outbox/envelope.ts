import { cameraSource, dataSchemaOf, type Envelope } from '@watchpost/shared/contracts/envelope'
import { v7 as uuidv7 } from 'uuid'
import type { OutboxRecord } from './outbox.js'

export interface EnvelopePlace {
  readonly siteId: string
  readonly epoch: number
  readonly seq: number
  /** Unix milliseconds. */
  readonly nowMs: number
}

/** Made exactly once, when the record is appended: every later delivery carries the same id, time and seq. */
export const makeEnvelope = (record: OutboxRecord, { siteId, epoch, seq, nowMs }: EnvelopePlace): Envelope =>
  ({
    specversion: '1.0',
    id: uuidv7(),
    source: cameraSource(siteId, record.cameraId),
    type: record.type,
    time: new Date(nowMs).toISOString(),
    datacontenttype: 'application/json',
    dataschema: dataSchemaOf(record.type),
    epoch,
    seq,
    data: record.data,
  }) as Envelope
