import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import Database from 'better-sqlite3'

const schemaVersion = 1
const rollup = (name: string) => `
  CREATE TABLE ${name} (
    series_id INTEGER NOT NULL, at INTEGER NOT NULL, count INTEGER NOT NULL, sum REAL NOT NULL,
    min REAL, max REAL, worst INTEGER NOT NULL, PRIMARY KEY (series_id, at)
  ) STRICT, WITHOUT ROWID;`
const schema = `
  CREATE TABLE series (
    id INTEGER PRIMARY KEY, site_id TEXT NOT NULL, camera_id TEXT NOT NULL, analytic TEXT NOT NULL,
    property TEXT NOT NULL, unit TEXT NOT NULL, UNIQUE (camera_id, property, analytic, site_id)
  ) STRICT;
  CREATE TABLE raw (
    series_id INTEGER NOT NULL, at INTEGER NOT NULL, value REAL, quality INTEGER NOT NULL, PRIMARY KEY (series_id, at)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE latest (
    series_id INTEGER PRIMARY KEY, at INTEGER NOT NULL, value REAL, quality INTEGER NOT NULL
  ) STRICT;
  ${rollup('minute')}
  ${rollup('hour')}`

/** FULL, because the log's cursor moves on when a write is done: what the store then forgot would never come again. */
export const openSeriesDatabase = (file: string): Database.Database => {
  mkdirSync(dirname(file), { recursive: true })
  const db = new Database(file)
  db.pragma('journal_mode = WAL')
  db.pragma('synchronous = FULL')
  db.pragma(`journal_size_limit = ${64 * 1024 * 1024}`)
  const version = db.pragma('user_version', { simple: true }) as number
  if (version > schemaVersion)
    throw new Error(`${file} was written by a newer version (${version}); run that version, or restore a backup`)
  if (version === 0) db.transaction(() => db.exec(`${schema} PRAGMA user_version = ${schemaVersion};`))()
  return db
}
