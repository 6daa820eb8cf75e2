import { existsSync } from 'node:fs'
import Database from 'better-sqlite3'
import type { DeadLetter, OutboxStatus } from '../outbox.js'
import { parseDeadLetter } from './sqlite.js'
import { countDeadLetters, type Ledger, type StoredDeadLetter, statusOf } from './sqlite-store.js'

export interface OutboxInspection {
  readonly status: OutboxStatus
  readonly deadLetters: readonly DeadLetter[]
}

/** Reads an outbox beside a running agent: a read-only connection, so it can neither wait for the agent nor disturb it. */
export const inspectSqliteOutbox = (file: string, deadLetterLimit: number): OutboxInspection => {
  mustExist(file)
  const db = new Database(file, { readonly: true })
  try {
    // One transaction: the counters belong to the same moment.
    return db.transaction(() => {
      const ledger = db.prepare<[], Ledger>('select * from ledger').get()
      if (!ledger)
        throw new Error(`The outbox at ${file} is empty: the agent was stopped while it made it. Start the agent.`)
      const size = db.prepare<[], number>('select count(*) from messages').pluck().get() ?? 0
      const oldest = db
        .prepare<[], { seq: number; created_at: number }>('select seq, created_at from messages order by seq limit 1')
        .get()
      const dead = db
        .prepare<[number], StoredDeadLetter>(
          'select envelope, problem, rejected_at from dead_letters order by seq limit ?',
        )
        .all(deadLetterLimit)
      const keptDead = db.prepare<[], number>(countDeadLetters).pluck().get() ?? 0
      return { status: statusOf(ledger, { size, keptDead, oldest }), deadLetters: dead.map(parseDeadLetter) }
    })()
  } finally {
    db.close()
  }
}

/** Forgets the dead letters, also beside a running agent, which waits for moments; returns how many. They stay counted. */
export const clearDeadLetters = (file: string): number => {
  mustExist(file)
  const db = new Database(file)
  try {
    return db.prepare('delete from dead_letters').run().changes
  } finally {
    db.close()
  }
}

const mustExist = (file: string): void => {
  if (!existsSync(file))
    throw new Error(`No outbox at ${file}: this agent has not run yet, or dataDir names another folder.`)
}
