import { createReadStream, mkdirSync, rmSync } from 'node:fs'
import { open, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { EvidenceSource, EvidenceStore, Receipt, StoredEvidence } from '../evidence-store.js'
import { mediaTypeOf, signatureBytes } from '../media-type.js'
import { openDiskIndex } from './disk-index.js'
import { createIntake, isFull, syncFile } from './disk-intake.js'

export interface DiskEvidenceOptions {
  readonly directory: string
  /** Largest picture or clip accepted. */
  readonly maxBytes: number
  /** Whether an event names this picture: such a one is evidence, even if it was also sent as a snapshot. */
  readonly isNamed: (sha256: string) => Promise<boolean>
  /** Unix milliseconds. */
  readonly clock: () => number
}

/** A picture may arrive before the event that names it; so long it is kept although a newer snapshot is there. */
const snapshotGraceMs = 5 * 60_000

/** Files under `directory/ab/abcdef…`, written to `incoming/` first; an index beside them. */
export const openDiskEvidence = ({ directory, maxBytes, isNamed, clock }: DiskEvidenceOptions): EvidenceStore => {
  const incoming = join(directory, 'incoming')
  // What a crash left half written was never promised to anybody; the agent sends it again.
  rmSync(incoming, { recursive: true, force: true })
  mkdirSync(incoming, { recursive: true })
  const index = openDiskIndex(join(directory, 'index.sqlite'))
  const pathOf = (sha256: string): string => join(directory, sha256.slice(0, 2), sha256)
  const intake = createIntake({ incoming, pathOf, maxBytes })
  let listener: (evidence: StoredEvidence) => void = () => {}
  /** By camera, Unix ms: of the snapshots stored before, those that are still here are named, and stay. */
  const judgedUpTo = new Map<string, number>()
  let sweeping: Promise<number> = Promise.resolve(0)
  let isClosing = false

  /** The index's row, or one made again from the file when the index lost it; undefined: no such file. */
  const held = async (sha256: string): Promise<StoredEvidence | undefined> => {
    const known = index.find(sha256)
    const file = await stat(pathOf(sha256)).catch(() => undefined)
    if (!file) {
      if (known) index.remove(sha256)
      return undefined
    }
    if (known) return known
    const mediaType = mediaTypeOf(await headOf(pathOf(sha256)))
    if (!mediaType) return undefined
    const source = { agentId: 'unknown', cameraId: null, role: null, takenAt: null }
    const found = { ...source, sha256, mediaType, bytes: file.size, storedAt: Math.round(file.mtimeMs) }
    index.put(found)
    return found
  }

  const remove = async (sha256: string): Promise<void> => {
    await rm(pathOf(sha256), { force: true })
    index.remove(sha256)
  }

  const record = async (evidence: StoredEvidence): Promise<void> => {
    index.put(evidence)
    if (evidence.role !== 'snapshot' || evidence.cameraId === null) return
    const newest = index.newestPicture(evidence.cameraId, 'snapshot')
    if (!newest) return
    const { cameraId } = evidence
    for (const { sha256, storedAt } of index.snapshots(
      cameraId,
      judgedUpTo.get(cameraId) ?? 0,
      clock() - snapshotGraceMs,
    )) {
      if (sha256 === newest.sha256) return
      if (!(await isNamed(sha256))) await remove(sha256)
      judgedUpTo.set(cameraId, storedAt)
    }
  }

  /** Round by round, each a list of its own; deleting a file lets everything else have its turn. */
  const sweep = async (beforeMs: number): Promise<number> => {
    let removed = 0
    for (let old = index.storedBefore(beforeMs); old.length > 0; old = index.storedBefore(beforeMs))
      for (const sha256 of old) {
        if (isClosing) return removed
        await remove(sha256)
        removed++
      }
    return removed
  }

  const take: EvidenceStore['receive'] = async (sha256, bytes, source): Promise<Receipt> => {
    // A sender may break off before the first read; the read then says so.
    bytes.on('error', () => {})
    const described = { ...source, takenAt: source.takenAt === null ? null : Math.min(source.takenAt, clock()) }
    const known = await held(sha256)
    if (known) {
      const isWallOnly = known.role === 'snapshot'
      // What came as a wall picture and is now evidence must be as safe as evidence, since the agent may delete its copy.
      if (isWallOnly && source.role !== 'snapshot') await syncFile(pathOf(sha256))
      const role = isWallOnly ? (described.role ?? 'at') : (known.role ?? described.role)
      // Bytes that are held are not read, so a hash is enough to come here: only the sender changes what was said of them.
      const isSender = known.agentId === source.agentId
      const evidence = { ...known, ...knownParts(described), ...(isSender ? {} : knownParts(known)), role }
      await record(evidence)
      return { ok: true, created: false, evidence }
    }
    const taken = await intake(sha256, bytes, { durable: source.role !== 'snapshot' })
    if (!taken.ok) return taken
    const evidence = { ...described, sha256, mediaType: taken.mediaType, bytes: taken.bytes, storedAt: clock() }
    await record(evidence)
    listener(evidence)
    return { ok: true, created: true, evidence }
  }

  return {
    receive: (sha256, bytes, source) =>
      take(sha256, bytes, source).catch((error: unknown) => {
        if (isFull(error)) return { ok: false, reason: 'no-space' } as const
        throw error
      }),
    stored: async sha256s => {
      const found = await Promise.all([...new Set(sha256s)].map(sha => (index.find(sha) ? { sha256: sha } : held(sha))))
      return new Set(found.flatMap(evidence => (evidence ? [evidence.sha256] : [])))
    },
    find: async sha256 => {
      const evidence = await held(sha256)
      return evidence && { evidence, open: range => createReadStream(pathOf(sha256), range) }
    },
    newestPicture: async (cameraId, role) => index.newestPicture(cameraId, role),
    sweep: beforeMs => {
      sweeping = sweeping.catch(() => 0).then(() => sweep(beforeMs))
      return sweeping
    },
    onStored: added => {
      listener = added
    },
    close: async () => {
      isClosing = true
      await sweeping.catch(() => undefined)
      index.close()
    },
  }
}

const knownParts = (source: EvidenceSource): Partial<EvidenceSource> =>
  Object.fromEntries(Object.entries(source).filter(([key, value]) => value !== null && key !== 'agentId'))

const headOf = async (path: string): Promise<Buffer> => {
  const file = await open(path)
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(signatureBytes), 0, signatureBytes, 0)
    return buffer.subarray(0, bytesRead)
  } finally {
    await file.close()
  }
}
