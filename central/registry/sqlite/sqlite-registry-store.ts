import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import Database from 'better-sqlite3'
import type { RegistryStore, SavedAgent, SavedCondition } from '../registry-store.js'

const schemaVersion = 1
const schema = `
  CREATE TABLE agent (
    site_id TEXT NOT NULL, agent_id TEXT NOT NULL, state TEXT, health TEXT, reported TEXT,
    last_seen_at INTEGER, health_at INTEGER, PRIMARY KEY (site_id, agent_id)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE camera_condition (
    camera_id TEXT NOT NULL, condition TEXT NOT NULL, active INTEGER NOT NULL, since TEXT NOT NULL,
    message TEXT NOT NULL, hint TEXT NOT NULL, PRIMARY KEY (camera_id, condition)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE desired (agent_id TEXT PRIMARY KEY, content TEXT NOT NULL) STRICT, WITHOUT ROWID;`

interface AgentRow {
  readonly siteId: string
  readonly agentId: string
  readonly state: string | null
  readonly health: string | null
  readonly reported: string | null
  readonly lastSeenAt: number | null
  readonly healthAt: number | null
}

export const openSqliteRegistryStore = (file: string): RegistryStore => {
  mkdirSync(dirname(file), { recursive: true })
  const db = new Database(file)
  db.pragma('journal_mode = WAL')
  db.pragma('synchronous = FULL')
  const version = db.pragma('user_version', { simple: true }) as number
  if (version > schemaVersion)
    throw new Error(`${file} was written by a newer version (${version}); run that version, or restore a backup`)
  if (version === 0) db.transaction(() => db.exec(`${schema} PRAGMA user_version = ${schemaVersion};`))()

  const selectAgents = db.prepare<[], AgentRow>(
    `SELECT site_id AS siteId, agent_id AS agentId, state, health, reported, last_seen_at AS lastSeenAt,
            health_at AS healthAt FROM agent`,
  )
  const upsertAgent = db.prepare('INSERT OR REPLACE INTO agent VALUES (?, ?, ?, ?, ?, ?, ?)')
  const selectConditions = db.prepare<[], Omit<SavedCondition, 'active'> & { active: number }>(
    'SELECT camera_id AS cameraId, condition, active, since, message, hint FROM camera_condition',
  )
  const upsertCondition = db.prepare('INSERT OR REPLACE INTO camera_condition VALUES (?, ?, ?, ?, ?, ?)')
  const selectDesired = db.prepare<[string], string>('SELECT content FROM desired WHERE agent_id = ?').pluck()
  const upsertDesired = db.prepare('INSERT OR REPLACE INTO desired VALUES (?, ?)')
  const parse = (text: string | null) => (text === null ? null : JSON.parse(text))
  const write = (value: unknown) => (value === null ? null : JSON.stringify(value))

  return {
    agents: () =>
      selectAgents.all().map(row => ({
        ...row,
        state: parse(row.state),
        health: parse(row.health),
        reported: parse(row.reported),
      })),
    saveAgents: db.transaction((agents: readonly SavedAgent[]) => {
      for (const { siteId, agentId, state, health, reported, lastSeenAt, healthAt } of agents)
        upsertAgent.run(siteId, agentId, write(state), write(health), write(reported), lastSeenAt, healthAt)
    }),
    conditions: () => selectConditions.all().map(row => ({ ...row, active: row.active === 1 })),
    saveConditions: db.transaction((conditions: readonly SavedCondition[]) => {
      for (const { cameraId, condition, active, since, message, hint } of conditions)
        upsertCondition.run(cameraId, condition, active ? 1 : 0, since, message, hint)
    }),
    desired: agentId => {
      const content = selectDesired.get(agentId)
      return content === undefined ? undefined : JSON.parse(content)
    },
    saveDesired: (agentId, desired) => {
      upsertDesired.run(agentId, JSON.stringify(desired))
    },
    close: () => {
      db.close()
    },
  }
}
