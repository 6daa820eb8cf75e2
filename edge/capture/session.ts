import type { Diagnosis } from './diagnosis.js'
import type { Picture } from './picture-assembler.js'

/** What a session tells while it runs. */
export interface SessionListener {
  /** It had arrived whole `agoMs` before now. */
  picture(picture: Picture, agoMs: number): void
  decodeError(line: string): void
  bytes(count: number): void
}

export type SessionEnd =
  /** A file or folder without loop came to its end, or the agent is stopping. */
  | { readonly kind: 'ended' }
  /** Key frames alone are not what the analytics need: connect again, decoding everything. */
  | { readonly kind: 'decode-all'; readonly because: string }
  | { readonly kind: 'lost'; readonly diagnosis: Diagnosis }

/** One connection, from start to end. Never rejects for anything the source did; resolves soon after `stopping` is aborted. */
export type Session = (listener: SessionListener, stopping: AbortSignal) => Promise<SessionEnd>
