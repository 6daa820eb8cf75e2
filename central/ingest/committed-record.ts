import type { Envelope } from '@watchpost/shared/contracts/envelope'

/** One message as central's log holds it: committed, in order, never changed. */
export interface CommittedRecord {
  /** Position in the log; ascending, without reuse. Consumers resume after the last one they applied. */
  readonly position: number
  readonly siteId: string
  readonly agentId: string
  readonly cameraId: string
  /** Unix milliseconds at central. */
  readonly receivedAt: number
  readonly envelope: Envelope
}

/** Applies a run of records. Must be idempotent: after a crash the same run may come again. A rejection stops the consumer, which retries. */
export type LogConsumer = (records: readonly CommittedRecord[]) => Promise<void>
