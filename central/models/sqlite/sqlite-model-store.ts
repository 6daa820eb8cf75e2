import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import type { ModelAuditEntry } from '@watchpost/shared/api/models'
import Database from 'better-sqlite3'
import type { ModelStore } from '../model-store.js'

const schemaVersion = 1
const schema = `
  CREATE TABLE shadow_report (
    model TEXT NOT NULL, agent_id TEXT NOT NULL, digest TEXT NOT NULL, received_at TEXT NOT NULL, report TEXT NOT NULL,
    PRIMARY KEY (model, agent_id, digest)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE model_audit (
    number INTEGER PRIMARY KEY, at TEXT NOT NULL, by TEXT NOT NULL, action TEXT NOT NULL, agent_id TEXT, model TEXT,
    digest TEXT, detail TEXT NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX model_audit_once ON model_audit (at, by, action, coalesce(agent_id, ''), coalesce(model, ''));`
/** Reports of candidates long gone are of no use. */
const keptPerModel = 200

export const openSqliteModelStore = (file: string): ModelStore => {
  if (file !== ':memory:') mkdirSync(dirname(file), { recursive: true })
  const db = new Database(file)
  db.pragma('journal_mode = WAL')
  db.pragma('synchronous = FULL')
  const version = db.pragma('user_version', { simple: true }) as number
  if (version > schemaVersion)
    throw new Error(`${file} was written by a newer version (${version}); run that version, or restore a backup`)
  if (version === 0) db.transaction(() => db.exec(`${schema} PRAGMA user_version = ${schemaVersion};`))()

  const putReport = db.prepare('INSERT OR REPLACE INTO shadow_report VALUES (?, ?, ?, ?, ?)')
  const trim = db.prepare(`DELETE FROM shadow_report WHERE model = ? AND (agent_id, digest) NOT IN
    (SELECT agent_id, digest FROM shadow_report WHERE model = ? ORDER BY received_at DESC LIMIT ${keptPerModel})`)
  const selectReports = db.prepare<[string], { agentId: string; receivedAt: string; report: string }>(
    `SELECT agent_id AS agentId, received_at AS receivedAt, report FROM shadow_report WHERE model = ? ORDER BY received_at DESC`,
  )
  const putEntry = db.prepare(
    'INSERT OR IGNORE INTO model_audit (at, by, action, agent_id, model, digest, detail) VALUES (?, ?, ?, ?, ?, ?, ?)',
  )
  const selectAudit = db.prepare<[number], ModelAuditEntry>(
    'SELECT at, by, action, agent_id AS agentId, model, digest, detail FROM model_audit ORDER BY number DESC LIMIT ?',
  )
  return {
    saveReport: db.transaction(({ agentId, receivedAt, report }) => {
      putReport.run(report.model, agentId, report.candidate.digest, receivedAt, JSON.stringify(report))
      trim.run(report.model, report.model)
    }),
    reports: model => selectReports.all(model).map(row => ({ ...row, report: JSON.parse(row.report) })),
    note: ({ at, by, action, agentId, model, digest, detail }) => {
      putEntry.run(at, by, action, agentId, model, digest, detail)
    },
    audit: limit => selectAudit.all(limit),
    close: () => {
      db.close()
    },
  }
}
