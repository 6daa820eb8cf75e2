import type { Database } from 'better-sqlite3'
import type { CommittedRecord } from '../committed-record.js'

/** `tip`: newest committed position known to the caller. */
export type ReadRecords = (after: number, limit: number, tip: number) => readonly CommittedRecord[]

interface LogRow {
  readonly position: number
  readonly receivedAt: number
  readonly siteId: string
  readonly agentId: string
  readonly cameraId: string
  readonly envelope: string
}

const keptChunks = 4

/**
 * Reads runs of the log. Consumers that keep up read the same run one after the other, so the last few are kept parsed.
 * `.all()` with a limit, never an open iteration: that would hold the write-ahead log and let it grow without bound.
 */
export const createReadRecords = (db: Database): ReadRecords => {
  const select = db.prepare<[number, number, number], LogRow>(
    `SELECT position, received_at AS receivedAt, site_id AS siteId, agent_id AS agentId, camera_id AS cameraId, envelope
     FROM log WHERE position > ? AND position <= ? ORDER BY position LIMIT ?`,
  )
  const kept = new Map<string, { readonly tip: number; readonly records: readonly CommittedRecord[] }>()
  return (after, limit, tip) => {
    const key = `${after}/${limit}`
    const found = kept.get(key)
    // A full run is final; a shorter one holds only for the tip it was read up to.
    if (found !== undefined && (found.tip === tip || found.records.length === limit)) return found.records
    const records = select
      .all(after, tip, limit)
      .map(row => Object.freeze({ ...row, envelope: JSON.parse(row.envelope) }))
    kept.delete(key)
    kept.set(key, { tip, records })
    if (kept.size > keptChunks) kept.delete(kept.keys().next().value!)
    return records
  }
}
