import { createHash } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import type { ExportLogEntry } from '@watchpost/shared/api/labels'
import Database from 'better-sqlite3'
import type { ExportLog } from '../export-log.js'

type Row = Omit<ExportLogEntry, 'detail'> & { readonly detail: string }

const schema = `
  CREATE TABLE IF NOT EXISTS label_exports (
    number INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    by TEXT NOT NULL,
    export INTEGER NOT NULL,
    action TEXT NOT NULL,
    detail TEXT NOT NULL,
    hash TEXT NOT NULL
  ) STRICT;
  CREATE TRIGGER IF NOT EXISTS label_exports_are_never_changed BEFORE UPDATE ON label_exports
    BEGIN SELECT RAISE(ABORT, 'the export log is append-only'); END;
  CREATE TRIGGER IF NOT EXISTS label_exports_are_never_removed BEFORE DELETE ON label_exports
    BEGIN SELECT RAISE(ABORT, 'the export log is append-only'); END;
`

/** Each hash covers the entry and the hash before it: an entry changed behind the triggers' back breaks the chain. */
export const exportLogHash = (
  previous: string,
  { number, at, by, export: of, action, detail }: Omit<Row, 'hash'>,
): string =>
  createHash('sha256')
    .update(`${previous}\n${JSON.stringify([number, at, by, of, action, detail])}`)
    .digest('hex')

export const openSqliteExportLog = ({ file }: { readonly file: string }): ExportLog => {
  if (file !== ':memory:') mkdirSync(dirname(file), { recursive: true })
  const database = new Database(file)
  database.pragma('journal_mode = WAL')
  database.pragma('synchronous = FULL')
  database.exec(schema)
  const last = database.prepare<[], Row>('SELECT * FROM label_exports ORDER BY number DESC LIMIT 1')
  const newest = database.prepare<[number], Row>('SELECT * FROM label_exports ORDER BY number DESC LIMIT ?')
  const insert = database.prepare(
    'INSERT INTO label_exports VALUES (@number, @at, @by, @export, @action, @detail, @hash)',
  )
  const append = database.transaction(
    ({ export: of, detail, ...draft }: Parameters<ExportLog['append']>[0]): number => {
      const before = last.get()
      const number = (before?.number ?? 0) + 1
      const row = { ...draft, number, export: of ?? number, detail: JSON.stringify(detail) }
      insert.run({ ...row, hash: exportLogHash(before?.hash ?? '', row) })
      return row.export
    },
  )

  return {
    append: async draft => append.immediate(draft),
    list: async limit => newest.all(limit).map(row => ({ ...row, detail: JSON.parse(row.detail) })),
    close: async () => {
      database.close()
    },
  }
}
