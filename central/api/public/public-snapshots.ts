import { createHash } from 'node:crypto'
import { buffer } from 'node:stream/consumers'
import type { HotspotProperties } from '@watchpost/shared/api/public'
import type { EvidenceStore } from '../../evidence/evidence-store.js'
import type { EventFilter } from '../../incidents/incident-store.js'
import type { Incidents } from '../../incidents/incidents.js'
import type { RedactedPicture } from './redact.js'

export interface PublicSnapshots {
  /** The newest picture of a hotspot's camera, redacted; null when there is none young enough or it cannot be redacted. */
  of(hotspotId: string, cameraId: string): Promise<HotspotProperties['snapshot']>
  /** Redacted bytes by their own hash; originals have no public address. */
  bytes(sha256: string): Buffer | undefined
}

interface Options {
  readonly evidence: Pick<EvidenceStore, 'newestPicture' | 'find' | 'stored'>
  readonly incidents: Pick<Incidents, 'events'>
  readonly redact: (picture: Buffer) => Promise<RedactedPicture>
  readonly clock: () => number
  readonly log: { readonly warn: (fields: object, sentence: string) => void }
}

interface Shown {
  readonly sourceSha256: string
  readonly sha256: string
  readonly bytes: Buffer
  readonly view: NonNullable<HotspotProperties['snapshot']>
}

/** Older pictures mislead about the water. */
const shownForMs = 3_600_000
const largestSourceBytes = 20_000_000
/** The picture before the newest is still asked for by those who hold the list before the newest. */
const keptPerHotspot = 2
const system = { name: 'system', role: 'admin', wardId: null } as const

/**
 * Only two kinds of pictures can become public: a hotspot camera's wall picture, and the evidence of its flood events.
 * Traffic evidence of the same camera never does. Kept in memory: fifty hotspots make about a megabyte.
 */
export const createPublicSnapshots = ({ evidence, incidents, redact, clock, log }: Options): PublicSnapshots => {
  const shown = new Map<string, readonly Shown[]>()
  const unusable = new Set<string>()

  const newest = async (cameraId: string): Promise<{ sha256: string; takenAt: number } | undefined> => {
    const snapshot = await evidence.newestPicture(cameraId, 'snapshot')
    if (snapshot) return { sha256: snapshot.sha256, takenAt: snapshot.takenAt ?? snapshot.storedAt }
    const filter: EventFilter = { cameraId, kinds: ['flood-level'], sinceMs: clock() - shownForMs }
    const { items } = await incidents.events(filter, { limit: 5 }, system)
    const pictures = items
      .flatMap(event => event.evidence)
      .filter(item => item.stored && item.mediaType === 'image/jpeg')
      .map(item => ({ sha256: item.sha256, takenAt: Date.parse(item.takenAt) }))
    return pictures.sort((a, b) => b.takenAt - a.takenAt)[0]
  }

  const make = async (source: { sha256: string; takenAt: number }): Promise<Shown | undefined> => {
    const file = await evidence.find(source.sha256)
    if (!file || file.evidence.bytes > largestSourceBytes) return undefined
    const { bytes, widthPx, heightPx } = await redact(await buffer(file.open()))
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    const takenAt = new Date(source.takenAt).toISOString()
    const href = `/public/v1/snapshots/${sha256}.jpg`
    return { sourceSha256: source.sha256, sha256, bytes, view: { href, takenAt, width: widthPx, height: heightPx } }
  }

  return {
    of: async (hotspotId, cameraId) => {
      const source = await newest(cameraId)
      if (!source || clock() - source.takenAt > shownForMs || unusable.has(source.sha256)) return null
      const known = shown.get(hotspotId) ?? []
      const current = known.find(item => item.sourceSha256 === source.sha256)
      if (current) return current.view
      const made = await make(source).catch((error: unknown) => {
        // No redaction, no picture. Remembered, so that a broken file is tried once and not every two seconds.
        if (unusable.size > 1000) unusable.clear()
        unusable.add(source.sha256)
        log.warn({ err: error, hotspotId, sha256: source.sha256 }, 'A picture could not be redacted and is not shown')
        return undefined
      })
      if (!made) return null
      shown.set(hotspotId, [made, ...known].slice(0, keptPerHotspot))
      return made.view
    },
    bytes: sha256 => {
      for (const items of shown.values()) {
        const found = items.find(item => item.sha256 === sha256)
        if (found) return found.bytes
      }
      return undefined
    },
  }
}
