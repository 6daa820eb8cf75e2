import type { ExportLogEntry } from '@watchpost/shared/api/labels'

export type ExportLogDraft = Omit<ExportLogEntry, 'number' | 'hash' | 'export'> & {
  /** Undefined: the entry begins an export and gives it its number. */
  readonly export?: number
}

/** Who took labels out of central, when, and how it ended. */
export interface ExportLog {
  /** Durable when it resolves; nothing can change or remove it. Resolves with the number of the export. */
  append(draft: ExportLogDraft): Promise<number>
  /** Newest first. */
  list(limit: number): Promise<readonly ExportLogEntry[]>
  close(): Promise<void>
}
