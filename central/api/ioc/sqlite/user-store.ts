import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import Database from 'better-sqlite3'
import type { SessionRow, UserRow, UserStore } from '../user-store.js'

const schema = `
  CREATE TABLE IF NOT EXISTS users (
    name TEXT PRIMARY KEY,
    role TEXT NOT NULL,
    ward_id TEXT,
    password_hash TEXT NOT NULL,
    token_digest TEXT UNIQUE,
    created_at INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS sessions (
    digest TEXT PRIMARY KEY,
    user_name TEXT NOT NULL REFERENCES users (name) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    used_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS sessions_by_user ON sessions (user_name);
`
const userColumns = `name, role, ward_id AS wardId, password_hash AS passwordHash, token_digest AS tokenDigest,
  users.created_at AS createdAt`

export const openSqliteUsers = ({ file }: { readonly file: string }): UserStore => {
  if (file !== ':memory:') mkdirSync(dirname(file), { recursive: true })
  const database = new Database(file)
  database.pragma('journal_mode = WAL')
  database.pragma('foreign_keys = ON')
  // The command line adds users while the service runs.
  database.pragma('busy_timeout = 5000')
  database.exec(schema)

  const insert = database.prepare(`INSERT OR IGNORE INTO users
    (name, role, ward_id, password_hash, token_digest, created_at)
    VALUES (@name, @role, @wardId, @passwordHash, @tokenDigest, @createdAt)`)
  const all = database.prepare<[], UserRow>(`SELECT ${userColumns} FROM users ORDER BY name`)
  const byName = database.prepare<[string], UserRow>(`SELECT ${userColumns} FROM users WHERE name = ?`)
  const byToken = database.prepare<[string], UserRow>(`SELECT ${userColumns} FROM users WHERE token_digest = ?`)
  const setPassword = database.prepare('UPDATE users SET password_hash = ? WHERE name = ?')
  const setToken = database.prepare('UPDATE users SET token_digest = ? WHERE name = ?')
  const endSessions = database.prepare('DELETE FROM sessions WHERE user_name = ?')
  const remove = database.prepare('DELETE FROM users WHERE name = ?')
  const putSession = database.prepare(`INSERT INTO sessions (digest, user_name, created_at, used_at)
    VALUES (@digest, @userName, @createdAt, @usedAt) ON CONFLICT (digest) DO UPDATE SET used_at = excluded.used_at`)
  const bySession = database.prepare<[string], SessionRow>(
    `SELECT digest, user_name AS userName, created_at AS createdAt, used_at AS usedAt FROM sessions WHERE digest = ?`,
  )
  const removeSession = database.prepare('DELETE FROM sessions WHERE digest = ?')
  const removeUnused = database.prepare('DELETE FROM sessions WHERE used_at < ?')

  return {
    insert: async user => insert.run(user).changes === 1,
    all: async () => all.all(),
    find: async name => byName.get(name),
    findByToken: async digest => byToken.get(digest),
    change: async (name, { passwordHash, tokenDigest }) => {
      if (!byName.get(name)) return false
      database.transaction(() => {
        if (tokenDigest !== undefined) setToken.run(tokenDigest, name)
        if (passwordHash === undefined) return
        setPassword.run(passwordHash, name)
        endSessions.run(name)
      })()
      return true
    },
    remove: async name => remove.run(name).changes === 1,
    putSession: async session => {
      putSession.run(session)
    },
    session: async digest => {
      const session = bySession.get(digest)
      const user = session && byName.get(session.userName)
      return session && user && { session, user }
    },
    removeSession: async digest => {
      removeSession.run(digest)
    },
    removeSessionsUnusedSince: async usedBeforeMs => {
      removeUnused.run(usedBeforeMs)
    },
    close: async () => {
      database.close()
    },
  }
}
