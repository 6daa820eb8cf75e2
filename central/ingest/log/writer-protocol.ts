import type { Ledger } from '@watchpost/shared/api/incidents'
import type { Committed, DataMessage } from './commit-messages.js'
import type { StreamAck } from './stream-store.js'

/** What the main thread asks of the writer thread. */
export type WriterRequest =
  | ({ readonly kind: 'data' } & DataMessage)
  | { readonly kind: 'cursor'; readonly name: string; readonly position: number }
  | { readonly kind: 'trim'; readonly applied: number; readonly before: number }
  | { readonly kind: 'ledger'; readonly requestId: number; readonly agentId: string }
  | { readonly kind: 'stop' }

export type WriterReport =
  | {
      readonly kind: 'ready'
      readonly tip: number
      readonly cursors: Readonly<Record<string, number>>
      readonly acks: readonly StreamAck[]
    }
  | ({ readonly kind: 'committed'; readonly taken: Taken } & Committed)
  /** Nothing of it was stored; agents send it again. */
  | { readonly kind: 'failed'; readonly taken: Taken; readonly code: string; readonly reason: string }
  | { readonly kind: 'ledger'; readonly requestId: number; readonly ledger: Ledger | undefined }
  /** An error nobody caught; the thread ends. */
  | { readonly kind: 'died'; readonly reason: string }

/** How much of what was handed over is done with. */
export interface Taken {
  readonly messages: number
  readonly bytes: number
  /** When the oldest of them came in, Unix ms. */
  readonly oldestReceivedAt: number
}
