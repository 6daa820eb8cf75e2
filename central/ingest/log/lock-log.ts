import Database from 'better-sqlite3'

/**
 * Keeps a second central away from the same data: both would hold the ledger in memory and overwrite each other's. The
 * operating system lets go of it however this process ends, so nothing stale can stand in the way after a crash.
 */
export const lockLog = (file: string): { release(): void } => {
  const db = new Database(`${file}.lock`, { timeout: 500 })
  try {
    db.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    db.close()
    const message = `${file} is in use by another central; stop it, or give this one a dataDir of its own`
    throw new Error(message, { cause: error })
  }
  return { release: () => db.close() }
}
