/** Nothing was stored, nothing stored before was lost. The caller waits and tries again. */
export class OutboxWriteError extends Error {
  override readonly name = 'OutboxWriteError'
  /** `disk-full`: there is no room; `failed`: the disk or the database refuses. */
  readonly reason: 'disk-full' | 'failed'
  readonly hint: string

  constructor(file: string, code: string, options: ErrorOptions) {
    const full = isDiskFull(code)
    super(
      full ? `Outbox ${file}: no room left on the disk (${code})` : `Outbox ${file}: cannot write (${code})`,
      options,
    )
    this.reason = full ? 'disk-full' : 'failed'
    this.hint = full
      ? 'Free disk space or lower evidence.quotaMb; what is already recorded is safe and recording goes on by itself.'
      : 'Check the disk and the rights of the agent on dataDir.'
  }
}

/** SHMSIZE: SQLite cannot make the 32 KB beside its file that it needs to open it. */
export const isDiskFull = (code: string): boolean =>
  ['SQLITE_FULL', 'SQLITE_IOERR_SHMSIZE', 'ENOSPC', 'EDQUOT'].includes(code)
