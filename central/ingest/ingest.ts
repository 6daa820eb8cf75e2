import type { Ledger } from '@watchpost/shared/api/incidents'
import type { LogConsumer } from './committed-record.js'

/** Where a consumer of the committed log stands. */
export interface ConsumerStatus {
  readonly name: string
  /** Last position applied. */
  readonly position: number
  readonly lag: number
  /** Set while it is being retried. */
  readonly failing: { readonly sinceMs: number; readonly attempts: number; readonly reason: string } | null
}

/** MQTT in, committed log out. Nothing is acknowledged before it is on disk. */
export interface Ingest {
  /** Hands every committed record to the consumer, in order, from where it stopped last time. Before `start`. */
  addConsumer(name: string, consumer: LogConsumer): void
  /** Undefined for an agent nothing was ever received from. */
  ledger(agentId: string): Promise<Ledger | undefined>
  consumers(): readonly ConsumerStatus[]
  start(): Promise<void>
  /** Stops taking in, commits what was taken, lets consumers finish their run, closes. */
  stop(): Promise<void>
}
