import type { CameraHealth } from '@watchpost/shared/contracts/camera-health'
import type { Envelope } from '@watchpost/shared/contracts/envelope'
import type { Event } from '@watchpost/shared/contracts/event'
import type { Observation } from '@watchpost/shared/contracts/observation'
import type { Problem } from '@watchpost/shared/contracts/primitives'

export type OutboxRecord =
  | { readonly cameraId: string; readonly type: 'observation.v1'; readonly data: Observation }
  | { readonly cameraId: string; readonly type: 'event.v1'; readonly data: Event }
  | { readonly cameraId: string; readonly type: 'camera-health.v1'; readonly data: CameraHealth }

export interface OutboxStatus {
  readonly epoch: number
  readonly size: number
  readonly oldestSeq: number | null
  readonly oldestAgeMs: number | null
  readonly lastSeq: number
  readonly ackedSeq: number
  /** Rows deleted because central has them. */
  readonly acked: number
  /** Ever refused by central. */
  readonly deadLetters: number
  /** Those of them that are still kept for people to look at; until they are cleared the agent counts as degraded. */
  readonly keptDeadLetters: number
  /** Observations deleted unsent because the outbox was full. */
  readonly thinned: number
  /** Ever appended; `appended = acked + deadLetters + thinned + size` holds at all times. */
  readonly appended: number
}

/** Of more the oldest go: one mistake in a configuration makes one with every reading, and their disk is the outbox's. */
export const maxDeadLetters = 1_000

/** A message central refused for good, kept for people to look at. */
export interface DeadLetter {
  readonly envelope: Envelope
  readonly problem: Problem
  /** UTC. */
  readonly rejectedAt: string
}

/** Durable queue between the rules and the uplink. A row leaves only by central's ack, by its nack, or by counted thinning. */
export interface Outbox {
  /**
   * Durable when it resolves; records keep their order; `states` (rule id → JSON, null takes it away) go into the same transaction.
   * @throws {OutboxWriteError} when nothing of it was stored, e.g. on a full disk; the same call may be repeated later.
   */
  append(records: readonly OutboxRecord[], states?: Readonly<Record<string, unknown>>): Promise<void>
  /** Envelopes after `seq`, ascending, at most `limit`. To be sent: central may acknowledge them from now on. */
  readAfter(seq: number, limit: number): Promise<readonly Envelope[]>
  /**
   * Deletes everything of this epoch up to `seq` that central can have: what an earlier run numbered and what was read in this one. Where
   * `seq` is beyond that, what was appended since gets new numbers after it and stays. Idempotent; another epoch is ignored.
   */
  acknowledge(epoch: number, seq: number): Promise<void>
  /** Moves one message to the dead letters with central's reason; beyond `maxDeadLetters` the oldest go. Idempotent. */
  reject(epoch: number, seq: number, problem: Problem): Promise<void>
  status(): Promise<OutboxStatus>
  /** Messages central refused, oldest first. */
  deadLetters(limit: number): Promise<readonly DeadLetter[]>
  /** Rule states stored with earlier appends. */
  states(): Promise<Readonly<Record<string, unknown>>>
  close(): Promise<void>
}
