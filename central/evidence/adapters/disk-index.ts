import Database from 'better-sqlite3'
import type { StoredEvidence } from '../evidence-store.js'

const schema = `
  CREATE TABLE IF NOT EXISTS evidence (
    sha256 TEXT PRIMARY KEY,
    media_type TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    agent_id TEXT NOT NULL,
    camera_id TEXT,
    role TEXT,
    taken_at INTEGER,
    stored_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS evidence_by_camera ON evidence (camera_id, taken_at DESC);
  CREATE INDEX IF NOT EXISTS evidence_by_age ON evidence (stored_at);
`
const columns = `sha256, media_type AS mediaType, bytes, agent_id AS agentId, camera_id AS cameraId, role,
  taken_at AS takenAt, stored_at AS storedAt`

/**
 * Who sent what, for questions by camera and age. The files are the truth and this can be made again from them,
 * so it does not wait for the disk (`synchronous=NORMAL`): ten snapshots a second must not stall the API.
 */
export const openDiskIndex = (file: string) => {
  const database = new Database(file)
  database.pragma('journal_mode = WAL')
  database.pragma('synchronous = NORMAL')
  database.pragma('journal_size_limit = 16777216')
  database.exec(schema)

  const bySha = database.prepare<[string], StoredEvidence>(`SELECT ${columns} FROM evidence WHERE sha256 = ?`)
  const newest = database.prepare<[string], StoredEvidence>(
    `SELECT ${columns} FROM evidence WHERE camera_id = ? AND media_type = 'image/jpeg' AND coalesce(role, '') <> 'disagreement'
      ORDER BY taken_at DESC LIMIT 1`,
  )
  const newestOfRole = database.prepare<[string, string], StoredEvidence>(
    `SELECT ${columns} FROM evidence WHERE camera_id = ? AND role = ? AND media_type = 'image/jpeg'
      ORDER BY taken_at DESC LIMIT 1`,
  )
  const put = database.prepare(`
    INSERT INTO evidence (sha256, media_type, bytes, agent_id, camera_id, role, taken_at, stored_at)
    VALUES (@sha256, @mediaType, @bytes, @agentId, @cameraId, @role, @takenAt, @storedAt)
    ON CONFLICT (sha256) DO UPDATE SET camera_id = coalesce(excluded.camera_id, camera_id),
      role = coalesce(excluded.role, role), taken_at = coalesce(excluded.taken_at, taken_at)`)
  const remove = database.prepare('DELETE FROM evidence WHERE sha256 = ?')
  const snapshots = database.prepare<[string, number, number], Pick<StoredEvidence, 'sha256' | 'storedAt'>>(
    `SELECT sha256, stored_at AS storedAt FROM evidence
      WHERE camera_id = ? AND role = 'snapshot' AND stored_at >= ? AND stored_at < ? ORDER BY stored_at LIMIT 100`,
  )
  const old = database
    .prepare<[number], string>(
      `SELECT sha256 FROM evidence AS e WHERE stored_at < ? AND NOT (coalesce(role, '') = 'snapshot' AND NOT EXISTS (
        SELECT 1 FROM evidence AS newer WHERE newer.camera_id = e.camera_id AND newer.role = 'snapshot'
          AND newer.taken_at > e.taken_at)) LIMIT 1000`,
    )
    .pluck()

  return {
    find: (sha256: string): StoredEvidence | undefined => bySha.get(sha256),
    newestPicture: (cameraId: string, role?: string): StoredEvidence | undefined =>
      role === undefined ? newest.get(cameraId) : newestOfRole.get(cameraId, role),
    put: (evidence: StoredEvidence): void => {
      put.run(evidence)
    },
    remove: (sha256: string): void => {
      remove.run(sha256)
    },
    /** Snapshots of the camera that came between the times given, oldest first; at most 100 of them. */
    snapshots: (cameraId: string, fromMs: number, beforeMs: number) => snapshots.all(cameraId, fromMs, beforeMs),
    /** What may go; at most 1,000 of them. */
    storedBefore: (beforeMs: number): readonly string[] => old.all(beforeMs),
    close: (): void => {
      database.close()
    },
  }
}
export type DiskIndex = ReturnType<typeof openDiskIndex>
