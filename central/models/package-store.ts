import type { Readable } from 'node:stream'
import type { PackageView } from '@watchpost/shared/api/models'

export type PackageReceipt =
  | { readonly ok: true; readonly created: boolean; readonly package: PackageView }
  /** So far only a part has come; it is kept. */
  | { readonly ok: true; readonly created: false; readonly package: null; readonly received: number }
  | { readonly ok: false; readonly reason: 'mismatch'; readonly actualSha256: string }
  | { readonly ok: false; readonly reason: 'invalid'; readonly problem: string }
  | { readonly ok: false; readonly reason: 'offset'; readonly received: number }
  | { readonly ok: false; readonly reason: 'interrupted'; readonly received: number }
  /** No byte came for so long. */
  | { readonly ok: false; readonly reason: 'silent'; readonly received: number; readonly silenceMs: number }
  | { readonly ok: false; readonly reason: 'too-large' | 'no-space' | 'busy' }

export interface PackagePart {
  /** Byte at which these bytes begin. */
  readonly from: number
  /** Null: whatever comes is all there is. */
  readonly total: number | null
}

/** Model packages as archives, addressed by the SHA-256 of their bytes. */
export interface PackageStore {
  /**
   * Takes bytes in from `part.from` on. When they are all there they are verified against the hash, and against what a package
   * is; durable when it resolves with the package. What an upload brought that broke off or fell silent is kept, to be continued. Idempotent.
   */
  receive(sha256: string, bytes: Readable, part: PackagePart, by: string): Promise<PackageReceipt>
  /** Bytes of an unfinished upload. */
  receivedOf(sha256: string): Promise<number>
  find(sha256: string): PackageView | undefined
  /** Newest first. */
  list(): readonly PackageView[]
  open(sha256: string, range?: { readonly start: number; readonly end: number }): Readable
  close(): Promise<void>
}
