import type { Readable } from 'node:stream'
import type { EvidenceRole } from '@watchpost/shared/contracts/evidence'

export type EvidenceMediaType = 'image/jpeg' | 'video/mp4'

/** Who sent it and what it shows, as far as the agent said. */
export interface EvidenceSource {
  readonly agentId: string
  readonly cameraId: string | null
  readonly role: EvidenceRole | null
  /** Unix milliseconds. */
  readonly takenAt: number | null
}

export interface StoredEvidence extends EvidenceSource {
  readonly sha256: string
  readonly mediaType: EvidenceMediaType
  readonly bytes: number
  /** Unix milliseconds at central. */
  readonly storedAt: number
}

export type Receipt =
  | { readonly ok: true; readonly created: boolean; readonly evidence: StoredEvidence }
  | { readonly ok: false; readonly reason: 'mismatch'; readonly actualSha256: string }
  | { readonly ok: false; readonly reason: 'too-large' | 'unsupported' | 'no-space' | 'interrupted' }

export interface EvidenceFile {
  readonly evidence: StoredEvidence
  /** Opens the bytes; `range` is inclusive. */
  open(range?: { readonly start: number; readonly end: number }): Readable
}

/** Pictures and clips, addressed by the SHA-256 of their bytes. */
export interface EvidenceStore {
  /**
   * Takes the bytes in. Durable and verified when it resolves with `ok`; otherwise nothing is kept. Idempotent:
   * bytes already held are not read (`created: false`).
   */
  receive(sha256: string, bytes: Readable, source: EvidenceSource): Promise<Receipt>
  /** Which of these are held. */
  stored(sha256s: readonly string[]): Promise<ReadonlySet<string>>
  find(sha256: string): Promise<EvidenceFile | undefined>
  /**
   * The newest picture (JPEG) of a camera, by the time it was taken. Of the pictures sent with the role `snapshot` only the
   * newest is kept for long, so a camera's wall picture does not fill the disk.
   */
  newestPicture(cameraId: string, role?: EvidenceRole): Promise<StoredEvidence | undefined>
  /**
   * Deletes all that was stored before the time given, except each camera's newest snapshot; returns how many. One after the
   * other, and `close` ends it early.
   */
  sweep(beforeMs: number): Promise<number>
  /** After each picture or clip that is new. One listener. */
  onStored(listener: (evidence: StoredEvidence) => void): void
  close(): Promise<void>
}
