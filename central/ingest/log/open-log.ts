import Database from 'better-sqlite3'

/** Each entry brings the database one version further; entries are never changed, only added. */
const migrations: readonly string[] = [
  `CREATE TABLE log (
     position INTEGER PRIMARY KEY AUTOINCREMENT, -- never reused, also when the newest rows are trimmed
     received_at INTEGER NOT NULL,
     site_id TEXT NOT NULL,
     agent_id TEXT NOT NULL,
     camera_id TEXT NOT NULL,
     envelope TEXT NOT NULL
   ) STRICT;
   CREATE TABLE stream (
     agent_id TEXT NOT NULL,
     epoch INTEGER NOT NULL,
     site_id TEXT NOT NULL,
     acked_seq INTEGER NOT NULL,
     duplicates INTEGER NOT NULL,
     by_type TEXT NOT NULL,
     PRIMARY KEY (agent_id, epoch)
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE stream_range (
     agent_id TEXT NOT NULL,
     epoch INTEGER NOT NULL,
     kind TEXT NOT NULL,
     from_seq INTEGER NOT NULL,
     to_seq INTEGER NOT NULL,
     PRIMARY KEY (agent_id, epoch, kind, from_seq)
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE dead_letter (
     number INTEGER PRIMARY KEY AUTOINCREMENT,
     received_at INTEGER NOT NULL,
     site_id TEXT NOT NULL,
     agent_id TEXT NOT NULL,
     epoch INTEGER,
     seq INTEGER,
     reason TEXT NOT NULL,
     detail TEXT NOT NULL,
     content TEXT NOT NULL
   ) STRICT;
   CREATE TABLE consumer (name TEXT PRIMARY KEY, position INTEGER NOT NULL) STRICT, WITHOUT ROWID;`,
]

/** Opens the log for its one writer. FULL: an acknowledgement must survive a power cut. */
export const openLog = (file: string): Database.Database => {
  const db = new Database(file)
  db.pragma('journal_mode = WAL')
  db.pragma('synchronous = FULL')
  db.pragma(`journal_size_limit = ${64 * 1024 * 1024}`)
  migrate(db, file)
  return db
}

/** Opens the log for reading beside the writer. */
export const openLogReader = (file: string): Database.Database =>
  new Database(file, { readonly: true, fileMustExist: true })

const migrate = (db: Database.Database, file: string): void => {
  const version = db.pragma('user_version', { simple: true }) as number
  if (version > migrations.length)
    throw new Error(`${file} was written by a newer version (${version}); run that version, or restore a backup`)
  db.transaction(() => {
    for (const migration of migrations.slice(version)) db.exec(migration)
    db.pragma(`user_version = ${migrations.length}`)
  })()
}
