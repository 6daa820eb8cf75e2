import type { Database } from 'better-sqlite3'

const chunk = 5000

/**
 * Deletes records that every consumer has applied (up to `applied`) and that came before `before` (Unix ms).
 * In small transactions, so that a commit never waits long. Returns whether there may be more.
 */
export const createTrimLog = (db: Database) => {
  const trim = db.prepare(
    // Only the oldest rows are looked at: a scan for old ones would read the whole log each time.
    `DELETE FROM log WHERE position IN (
       SELECT position FROM (SELECT position, received_at FROM log WHERE position <= ? ORDER BY position LIMIT ${chunk})
       WHERE received_at < ?)`,
  )
  return (applied: number, before: number): { readonly more: boolean } => ({
    more: trim.run(applied, before).changes === chunk,
  })
}
