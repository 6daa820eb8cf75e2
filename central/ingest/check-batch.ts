import { type TypeCheck, TypeCompiler } from '@sinclair/typebox/compiler'
import {
  Batch,
  CameraHealthEnvelope,
  type Envelope,
  type EnvelopeType,
  EventEnvelope,
  envelopeTypes,
  ObservationEnvelope,
  parseCameraSource,
} from '@watchpost/shared/contracts/envelope'

/** Why central does not take something, as counted in `/metrics` and kept in the dead letters. */
export type RefusalReason = 'malformed-batch' | 'unknown-type' | 'invalid-message' | 'foreign-source' | 'foreign-epoch'

export interface AcceptedEnvelope {
  readonly envelope: Envelope
  readonly cameraId: string
  /** The envelope as JSON, for the log. */
  readonly content: string
}

export interface Refusal {
  /** Undefined when not even that could be read. */
  readonly seq: number | undefined
  readonly reason: RefusalReason
  readonly detail: string
  /** What was refused, for the dead letters. */
  readonly content: string
}

export type CheckedBatch =
  | { readonly malformed: Refusal }
  | {
      readonly malformed?: undefined
      readonly epoch: number
      readonly oldestSeq: number
      readonly afterSeq: number | undefined
      readonly accepted: readonly AcceptedEnvelope[]
      readonly refused: readonly Refusal[]
      /** Of all messages whose number could be read, accepted or not; undefined when there is none. */
      readonly span: { readonly lowestSeq: number; readonly highestSeq: number } | undefined
    }

const batchCheck = TypeCompiler.Compile(Batch)
const envelopeChecks: Readonly<Record<EnvelopeType, TypeCheck<typeof ObservationEnvelope>>> = {
  'observation.v1': TypeCompiler.Compile(ObservationEnvelope),
  'event.v1': TypeCompiler.Compile(EventEnvelope) as never,
  'camera-health.v1': TypeCompiler.Compile(CameraHealthEnvelope) as never,
}

/** Reads the payload of a `data` topic of `siteId`. Each message is judged by itself; nothing throws. */
export const checkBatch = (siteId: string, payload: Uint8Array): CheckedBatch => {
  const text = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString('utf8')
  let batch: unknown
  try {
    batch = JSON.parse(text)
  } catch (error) {
    return malformed(text, `not JSON: ${(error as Error).message}`)
  }
  if (!batchCheck.Check(batch)) return malformed(text, firstError(batchCheck, batch))

  const accepted: AcceptedEnvelope[] = []
  const refused: Refusal[] = []
  let [lowestSeq, highestSeq] = [Number.POSITIVE_INFINITY, 0]
  for (const envelope of batch.envelopes) {
    const content = jsonOf(envelope)
    const judged = content === undefined ? tooDeep(envelope, text) : judge(siteId, batch.epoch, envelope, content)
    if ('reason' in judged) refused.push(judged)
    else accepted.push(judged)
    const seq = 'reason' in judged ? judged.seq : judged.envelope.seq
    if (seq === undefined) continue
    lowestSeq = Math.min(lowestSeq, seq)
    highestSeq = Math.max(highestSeq, seq)
  }
  return {
    epoch: batch.epoch,
    oldestSeq: batch.oldestSeq,
    afterSeq: batch.afterSeq,
    accepted,
    refused,
    span: highestSeq === 0 ? undefined : { lowestSeq, highestSeq },
  }
}

const judge = (siteId: string, epoch: number, given: unknown, content: string): AcceptedEnvelope | Refusal => {
  const { type } = (typeof given === 'object' && given !== null ? given : {}) as Partial<Envelope>
  const refuse = (reason: RefusalReason, detail: string): Refusal => ({ seq: seqOf(given), reason, detail, content })
  if (!envelopeTypes.includes(type as EnvelopeType))
    return refuse('unknown-type', `/type: ${JSON.stringify(type)} is none of ${envelopeTypes.join(', ')}`)
  const check = envelopeChecks[type as EnvelopeType]
  if (!check.Check(given)) return refuse('invalid-message', firstError(check, given))
  const envelope = given as Envelope
  if (envelope.epoch !== epoch) return refuse('foreign-epoch', `/epoch: ${envelope.epoch} in a batch of epoch ${epoch}`)
  const source = parseCameraSource(envelope.source)
  if (source?.siteId !== siteId)
    return refuse('foreign-source', `/source: ${envelope.source} was sent under site ${siteId}`)
  return { envelope, cameraId: source.cameraId, content }
}

const seqOf = (given: unknown): number | undefined => {
  const { seq } = (typeof given === 'object' && given !== null ? given : {}) as { seq?: number }
  return Number.isSafeInteger(seq) && seq! >= 1 ? seq : undefined
}

/** Undefined when it is nested too deeply: reading JSON has no depth limit, writing has. */
const jsonOf = (given: unknown): string | undefined => {
  try {
    return JSON.stringify(given)
  } catch {
    return undefined
  }
}

const tooDeep = (given: unknown, batch: string): Refusal => ({
  seq: seqOf(given),
  reason: 'invalid-message',
  detail: '/: nested too deeply to be stored; the dead letter holds the batch it came in',
  content: batch,
})

const firstError = (
  check: TypeCheck<never> | TypeCheck<typeof Batch> | TypeCheck<typeof ObservationEnvelope>,
  value: unknown,
): string => {
  const error = check.Errors(value).First()
  return error === undefined ? 'does not fit its schema' : `${error.path || '/'}: ${error.message}`
}

const malformed = (content: string, detail: string): CheckedBatch => ({
  malformed: { seq: undefined, reason: 'malformed-batch', detail, content },
})
