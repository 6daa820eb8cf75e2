import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import Database from 'better-sqlite3'
import type { IncidentStore } from '../incident-store.js'
import { prepareCommit } from './commit.js'
import { migrate } from './migrations.js'
import { prepareReads } from './reads.js'
import { prepareVerdicts } from './verdicts.js'

export interface SqliteIncidentOptions {
  /** Database file; `:memory:` keeps nothing. */
  readonly file: string
}

/**
 * One file, WAL, `synchronous=FULL`: when a commit resolves it survives a power cut, since ingest will not send the
 * events again. Calls run on the caller's thread; incidents come by the minute, not by the millisecond.
 */
export const openSqliteIncidents = ({ file }: SqliteIncidentOptions): IncidentStore => {
  if (file !== ':memory:') mkdirSync(dirname(file), { recursive: true })
  const database = new Database(file)
  database.pragma('journal_mode = WAL')
  database.pragma('synchronous = FULL')
  database.pragma('foreign_keys = ON')
  database.pragma('journal_size_limit = 16777216')
  migrate(database)
  const commit = prepareCommit(database)
  const reads = prepareReads(database)

  return {
    verdicts: prepareVerdicts(database),
    situation: async query => reads.situation(query),
    commit: async change => commit(change),
    get: async incidentId => reads.get(incidentId),
    timeline: async incidentId => reads.timeline(incidentId),
    list: async (filter, page) => reads.list(filter, page),
    events: async (filter, page) => reads.events(filter, page),
    event: async eventId => reads.event(eventId),
    requestFingerprint: async key => reads.requestFingerprint(key),
    close: async () => {
      database.close()
    },
  }
}
