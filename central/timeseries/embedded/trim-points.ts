import type { Database } from 'better-sqlite3'

const chunk = 5000
const dayMs = 86_400_000
/** Minutes are kept so many times longer than raw values, hours for ever. */
const minuteFactor = 4

/** Deletes values past their time, one chunk of each kind; returns whether there may be more. */
export const createTrimPoints = (db: Database) => {
  // By series, because that is how the rows lie; a scan by time would read everything.
  const trimOf = (table: 'raw' | 'minute') =>
    db.prepare(
      `DELETE FROM ${table} WHERE (series_id, at) IN (
         SELECT old.series_id, old.at FROM series JOIN ${table} AS old ON old.series_id = series.id AND old.at < ?
         LIMIT ${chunk})`,
    )
  const [trimRaw, trimMinute] = [trimOf('raw'), trimOf('minute')]
  return (now: number, rawDays: number): { readonly more: boolean } => {
    const raw = trimRaw.run(now - rawDays * dayMs).changes
    const minute = trimMinute.run(now - rawDays * minuteFactor * dayMs).changes
    return { more: raw === chunk || minute === chunk }
  }
}
