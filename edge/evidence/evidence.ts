import type { EventKind } from '@watchpost/shared/contracts/event'
import type { Evidence, EvidenceRole } from '@watchpost/shared/contracts/evidence'
import sharp from 'sharp'
import type { Frame } from '../frames/frame.js'
import type { EventDraft } from '../rules/rule.js'
import type { EvidenceLog } from './evidence-log.js'
import { createPictureStore, type PictureNote, type StoredPicture } from './picture-store.js'
import { createRecentFrames } from './recent-frames.js'

export interface EvidenceOptions {
  readonly dir: string
  readonly quotaMb: number
  /** 30..95 */
  readonly jpegQuality: number
  readonly log: EvidenceLog
}

export interface EvidenceStatus {
  /** Pictures that central does not have yet. */
  readonly pending: number
  /** On disk, sent ones included. */
  readonly bytes: number
  readonly sent: number
  /** Refused by central for good, or damaged. */
  readonly dead: number
  /** Sent pictures deleted for room. */
  readonly evicted: number
  /** Pictures that could not be kept, by reason; their events went out without them. */
  readonly failed: Readonly<Record<FailureReason, number>>
}

export type FailureReason = 'disk-full' | 'quota-full' | 'write-failed'

export interface Upload {
  readonly sha256: string
  readonly mediaType: 'image/jpeg'
  readonly body: Buffer
  readonly note: PictureNote | undefined
}

export interface EvidenceRoom {
  /** Reads what an earlier run left. */
  start(): Promise<void>
  /** Every captured frame: feeds the short memory that `before` and `after` come from. */
  remember(frame: Frame): void
  /** One picture, durable on disk when it resolves. Rejects when it cannot be kept. Idempotent for the same frame. */
  snapshot(frame: Frame, role: EvidenceRole): Promise<Evidence>
  /** A small picture of the frame, for people who compare models. Durable and queued when it resolves; rejects when it cannot be kept. */
  thumbnail(frame: Frame): Promise<Evidence>
  /** The pictures of an event: `at`, and for traffic `before`. Never rejects and never waits: what cannot be kept is counted and left out. */
  take(draft: Pick<EventDraft, 'kind' | 'phase'>, frame: Frame): Promise<Evidence[]>
  /** For traffic, the picture a second later, once it is there; undefined otherwise. To be published as the event's update. */
  takeAfter(draft: Pick<EventDraft, 'kind' | 'phase'>, frame: Frame): Promise<Evidence | undefined>
  /** Hashes of the pictures that central does not have yet, oldest first. */
  pending(): readonly string[]
  /** Undefined when it is gone or damaged. Rejects when it cannot be read now; it stays pending. */
  openForUpload(sha256: string): Promise<Upload | undefined>
  markSent(sha256: string): Promise<void>
  markDead(sha256: string, reason: string): Promise<void>
  /** One listener: this picture became pending. */
  onPending(listener: (sha256: string) => void): void
  status(): EvidenceStatus
  stop(): Promise<void>
}

/** Kinds that are over in a moment: one picture would not show what happened. */
const momentaryKinds: readonly EventKind[] = ['red-light', 'wrong-way', 'line-crossing', 'no-entry', 'illegal-stopping']
const beforeMs = 1_000
const afterMs = 1_000
const searchMs = 700
const afterTimeoutMs = 5_000
/** A full quota is emptied to this share at once: sorting thousands of pictures for each new one would stall the agent. */
const keptShare = 0.95
/** Enough to see what the boxes over it mean, and about 10 KB. */
const thumbnailWidth = 320
const thumbnailQuality = 65
/** Log the first failure and then every so many: a full disk would otherwise fill itself with messages. */
const logEvery = 100

/** Pictures for events: taken, hashed, kept on disk within a quota, and queued until central has them. */
export const createEvidence = ({ dir, quotaMb, jpegQuality, log }: EvidenceOptions): EvidenceRoom => {
  const store = createPictureStore(dir)
  const recent = createRecentFrames()
  const quotaBytes = quotaMb * 1024 * 1024
  const encoded = new WeakMap<Frame, Promise<Buffer>>()
  const failed: Record<FailureReason, number> = { 'disk-full': 0, 'quota-full': 0, 'write-failed': 0 }
  let evicted = 0
  let writing: Promise<unknown> = Promise.resolve()
  let onPending: (sha256: string) => void = () => {}

  /** Several events of one frame share its picture. */
  const encode = (frame: Frame): Promise<Buffer> => {
    const known = encoded.get(frame)
    if (known !== undefined) return known
    const { width, height, pixels } = frame
    const jpeg = sharp(pixels, { raw: { width, height, channels: 3 } })
      .jpeg({ quality: jpegQuality })
      .toBuffer()
    encoded.set(frame, jpeg)
    return jpeg
  }
  /** Makes room for `bytes` by deleting sent and dead pictures, oldest first. Unsent ones are never touched. */
  const makeRoom = async (bytes: number): Promise<boolean> => {
    if (store.totalBytes() + bytes <= quotaBytes) return true
    const expendable = [...store.all()].filter(picture => picture.state !== 'unsent').sort(byAge)
    for (const picture of expendable) {
      await store.remove(picture.sha256)
      evicted++
      if (store.totalBytes() + bytes <= quotaBytes * keptShare) break
    }
    return store.totalBytes() + bytes <= quotaBytes
  }
  const shrink = ({ width, height, pixels }: Frame): Promise<Buffer> =>
    sharp(pixels, { raw: { width, height, channels: 3 } })
      .resize({ width: thumbnailWidth, withoutEnlargement: true })
      .jpeg({ quality: thumbnailQuality })
      .toBuffer()
  const keep = async (frame: Frame, role: EvidenceRole): Promise<Evidence> => {
    const jpeg = await (role === 'disagreement' ? shrink(frame) : encode(frame))
    if (!(await makeRoom(jpeg.length))) throw new QuotaError(quotaMb)
    const note = { cameraId: frame.cameraId, role, takenAt: frame.takenAt }
    const { sha256, bytes, isNew } = await store.put(jpeg, note)
    if (isNew) onPending(sha256)
    return { sha256, mediaType: 'image/jpeg', bytes, role, takenAt: new Date(frame.takenAt).toISOString() }
  }
  const snapshot: EvidenceRoom['snapshot'] = (frame, role) => {
    // One after the other, so that the quota is counted once.
    const result = writing.then(() => keep(frame, role))
    writing = result.catch(() => {})
    return result
  }
  const tryToKeep = async (frame: Frame, role: EvidenceRole): Promise<Evidence | undefined> => {
    try {
      return await snapshot(frame, role)
    } catch (err) {
      const reason = reasonOf(err)
      if (failed[reason]++ % logEvery === 0) {
        log.error(
          { cameraId: frame.cameraId, reason, count: failed[reason], err, hint: hints[reason] },
          'A picture could not be kept',
        )
      }
      return undefined
    }
  }
  const isMomentary = ({ kind, phase }: Pick<EventDraft, 'kind' | 'phase'>): boolean =>
    phase === 'began' && momentaryKinds.includes(kind)

  return {
    start: () => store.open(),
    remember: recent.remember,
    snapshot,
    thumbnail: frame => snapshot(frame, 'disagreement'),
    async take(draft, frame) {
      // Seconds later the vehicle is gone: its box would be drawn over an empty road.
      if (momentaryKinds.includes(draft.kind) && draft.phase === 'ended') return []
      const before = isMomentary(draft) ? recent.nearest(frame.cameraId, frame.takenAt - beforeMs, searchMs) : undefined
      const pictures = [
        before === undefined ? undefined : await tryToKeep(before, 'before'),
        await tryToKeep(frame, 'at'),
      ]
      return pictures.filter(picture => picture !== undefined)
    },
    async takeAfter(draft, frame) {
      if (!isMomentary(draft)) return undefined
      const after = await recent.next(frame.cameraId, frame.takenAt + afterMs, afterTimeoutMs)
      return after === undefined ? undefined : tryToKeep(after, 'after')
    },
    pending: () =>
      [...store.all()]
        .filter(picture => picture.state === 'unsent')
        .sort(byAge)
        .map(picture => picture.sha256),
    async openForUpload(sha256) {
      const body = await store.read(sha256)
      if (body === undefined) {
        log.error({ sha256 }, 'A picture is gone or damaged on disk and cannot be sent')
        return undefined
      }
      return { sha256, mediaType: 'image/jpeg', body, note: await store.note(sha256) }
    },
    markSent: sha256 => store.setState(sha256, 'sent'),
    async markDead(sha256, reason) {
      log.error({ sha256, reason }, 'Central refuses this picture for good')
      await store.setState(sha256, 'dead')
    },
    onPending(listener) {
      onPending = listener
    },
    status() {
      const count = { unsent: 0, sent: 0, dead: 0 }
      for (const picture of store.all()) count[picture.state]++
      const { unsent: pending, sent, dead } = count
      return { pending, bytes: store.totalBytes(), sent, dead, evicted, failed: { ...failed } }
    },
    async stop() {
      recent.close()
      await writing
    },
  }
}

class QuotaError extends Error {
  override readonly name = 'QuotaError'
  constructor(quotaMb: number) {
    super(`The ${quotaMb} MB for pictures are full of pictures that central does not have yet`)
  }
}

const hints: Record<FailureReason, string> = {
  'disk-full': 'The disk is full: free space on the volume of dataDir. Events go on without pictures.',
  'quota-full': 'Check that central is reachable (evidence.url, token), or raise evidence.quotaMb.',
  'write-failed': 'Check that the agent may write to dataDir and that the disk is sound.',
}

const reasonOf = (error: unknown): FailureReason => {
  if (error instanceof QuotaError) return 'quota-full'
  const code = (error as NodeJS.ErrnoException | undefined)?.code
  return code === 'ENOSPC' || code === 'EDQUOT' ? 'disk-full' : 'write-failed'
}

const byAge = (a: StoredPicture, b: StoredPicture): number => a.takenAt - b.takenAt
