import type { Ledger } from '@watchpost/shared/api/incidents'
import type { AgentAddress } from '@watchpost/shared/topics'
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
  /** One MQTT message. A promise when too much is pending: take the next one only after it. */
  take(topic: string, payload: Uint8Array): void | Promise<void>
  /** The agent is online with this epoch: it is told where central stands. */
  greet(address: AgentAddress, epoch: number): void
  /** To be called after every connection to the broker. */
  repeatAcks(): void
  /** Hands every committed record to the consumer, in order, from where it stopped last time. Before `start`. */
  addConsumer(name: string, consumer: LogConsumer): void
  /** Undefined for an agent nothing was ever received from. */
  ledger(agentId: string): Promise<Ledger | undefined>
  consumers(): readonly ConsumerStatus[]
  /** Null while the log can be written. */
  storage(): { readonly failingSinceMs: number; readonly reason: string } | null
  /** Rejects when the log cannot be opened. */
  start(): Promise<void>
  /** Lets consumers finish their run, commits what was taken, closes. */
  stop(): Promise<void>
}
