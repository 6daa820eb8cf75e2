import type { Problem } from '@watchpost/shared/contracts/primitives'
import Database from 'better-sqlite3'
import { makeEnvelope } from '../envelope.js'
import { migrations } from '../migrations/migrations.js'
import { maxDeadLetters, type OutboxRecord, type OutboxStatus } from '../outbox.js'
import {
  dataLossRecord,
  everySecond,
  type LostRange,
  mergeRanges,
  rangesPerLossEvent,
  recoveredShare,
  thinningStep,
} from '../thinning.js'

export interface SqliteStoreOptions {
  readonly file: string
  readonly siteId: string
  readonly maxRows: number
}

export interface AppendGroup {
  readonly records: readonly OutboxRecord[]
  readonly states: Readonly<Record<string, unknown>>
}

export interface StoredDeadLetter {
  readonly envelope: string
  readonly problem: string
  readonly rejected_at: number
}

/** Everything the outbox does in SQL, synchronous: runs in the outbox's own thread. */
export interface SqliteStore {
  /** All groups in one transaction: one fsync for all who wait. */
  append(groups: readonly AppendGroup[]): void
  readAfter(seq: number, limit: number): readonly string[]
  /** Returns how many held messages had to be renumbered, 0 as a rule. */
  acknowledge(epoch: number, seq: number): number
  reject(epoch: number, seq: number, problem: Problem): void
  deadLetters(limit: number): readonly StoredDeadLetter[]
  status(): OutboxStatus
  states(): Readonly<Record<string, string>>
  close(): void
}

export interface Ledger {
  readonly epoch: number
  readonly last_seq: number
  readonly acked_seq: number
  readonly appended: number
  readonly acked: number
  readonly dead_letters: number
  readonly thinned: number
  readonly thinned_to_seq: number
  readonly loss_started_at: number | null
  readonly loss_camera_id: string | null
}

export const openSqliteStore = ({ file, siteId, maxRows }: SqliteStoreOptions): SqliteStore => {
  const db = openDatabase(file)
  const sql = {
    ledger: db.prepare<[], Ledger>('select * from ledger'),
    insert: db.prepare('insert into messages (seq, type, camera_id, created_at, envelope) values (?, ?, ?, ?, ?)'),
    appended: db.prepare('update ledger set last_seq = ?, appended = appended + ?'),
    saveState: db.prepare('insert or replace into rule_states (rule_id, state) values (?, ?)'),
    removeState: db.prepare('delete from rule_states where rule_id = ?'),
    size: db.prepare<[], number>('select count(*) from messages').pluck(),
    read: db.prepare<[number, number], { seq: number; envelope: string }>(
      'select seq, envelope from messages where seq > ? order by seq limit ?',
    ),
    removeTo: db.prepare('delete from messages where seq <= ?'),
    acked: db.prepare('update ledger set acked = acked + ?, acked_seq = max(acked_seq, ?)'),
    moveToDead: db.prepare('insert or ignore into dead_letters select seq, envelope, ?, ? from messages where seq = ?'),
    remove: db.prepare('delete from messages where seq = ?'),
    trimDead: db.prepare(
      'delete from dead_letters where seq <= (select seq from dead_letters order by seq desc limit 1 offset ?)',
    ),
    keptDead: db.prepare<[], number>(countDeadLetters).pluck(),
    rejected: db.prepare('update ledger set dead_letters = dead_letters + ?'),
    dead: db.prepare<[number], StoredDeadLetter>(
      'select envelope, problem, rejected_at from dead_letters order by seq limit ?',
    ),
    states: db.prepare<[], { rule_id: string; state: string }>('select * from rule_states'),
    observations: db.prepare<[number, number], { seq: number; camera_id: string }>(
      "select seq, camera_id from messages where type = 'observation.v1' and seq > ? order by seq limit ?",
    ),
    thinned: db.prepare('update ledger set thinned = thinned + ?, thinned_to_seq = ?'),
    extendLost: db.prepare('update lost_ranges set to_seq = ? where to_seq = ?'),
    insertLost: db.prepare('insert or ignore into lost_ranges values (?, ?)'),
    lostCount: db.prepare<[], number>('select count(*) from lost_ranges').pluck(),
    lost: db.prepare<[], LostRange>('select from_seq as fromSeq, to_seq as toSeq from lost_ranges'),
    clearLost: db.prepare('delete from lost_ranges'),
    loss: db.prepare('update ledger set loss_started_at = ?, loss_camera_id = ?'),
    oldest: db.prepare<[], { seq: number; created_at: number }>(
      'select seq, created_at from messages order by seq limit 1',
    ),
  }
  // Counting millions of rows at every append would cost more than the append.
  let size = sql.size.get() ?? 0
  /** Central can know no number of this history beyond it: those of earlier runs and those handed out in this one. */
  let knownSeq = sql.ledger.get()!.last_seq

  const insert = (records: readonly OutboxRecord[]): void => {
    const nowMs = Date.now()
    const { epoch, last_seq } = sql.ledger.get()!
    records.forEach((record, index) => {
      const seq = last_seq + 1 + index
      const envelope = JSON.stringify(makeEnvelope(record, { siteId, epoch, seq, nowMs }))
      sql.insert.run(seq, record.type, record.cameraId, nowMs, envelope)
    })
    sql.appended.run(last_seq + records.length, records.length)
    size += records.length
  }

  /** Returns how many observations went; 0 when there is none left. */
  const thinOnce = (): number => {
    const { thinned_to_seq } = sql.ledger.get()!
    const further = sql.observations.all(thinned_to_seq, thinningStep)
    const seen = further.length > 0 ? further : sql.observations.all(0, thinningStep)
    const going = everySecond(seen)
    if (going.length === 0) return 0
    for (const { seq } of going) {
      sql.remove.run(seq)
      if (sql.extendLost.run(seq, seq - 1).changes === 0) sql.insertLost.run(seq, seq)
    }
    sql.thinned.run(going.length, seen.at(-1)!.seq)
    size -= going.length
    if (sql.ledger.get()!.loss_started_at === null) {
      sql.loss.run(Date.now(), going[0]!.camera_id)
      reportLoss('began')
    } else if ((sql.lostCount.get() ?? 0) >= rangesPerLossEvent) reportLoss('updated')
    return going.length
  }

  const reportLoss = (phase: 'began' | 'updated' | 'ended'): void => {
    const { loss_started_at, loss_camera_id } = sql.ledger.get()!
    const lost = mergeRanges(sql.lost.all())
    sql.clearLost.run()
    const nowMs = Date.now()
    insert([dataLossRecord({ cameraId: loss_camera_id!, startedAt: loss_started_at!, phase, nowMs, lost })])
    if (phase === 'ended') sql.loss.run(null, null)
  }

  const transaction = <A extends readonly unknown[], R>(work: (...args: A) => R) => {
    const run = db.transaction((...args: unknown[]) => work(...(args as unknown as A)))
    return (...args: A): R => {
      const before = { size, knownSeq }
      try {
        return run.immediate(...args) as R
      } catch (error) {
        ;({ size, knownSeq } = before)
        throw error
      }
    }
  }

  return {
    append: transaction((groups: readonly AppendGroup[]) => {
      for (const { records, states } of groups) {
        if (records.length > 0) insert(records)
        for (const [ruleId, state] of Object.entries(states))
          if (state === null || state === undefined) sql.removeState.run(ruleId)
          else sql.saveState.run(ruleId, JSON.stringify(state))
      }
      while (size > maxRows && thinOnce() > 0);
    }),
    readAfter: (seq, limit) => {
      const rows = sql.read.all(seq, limit)
      knownSeq = Math.max(knownSeq, rows.at(-1)?.seq ?? 0)
      return rows.map(({ envelope }) => envelope)
    },
    acknowledge: transaction((epoch: number, seq: number) => {
      const ledger = sql.ledger.get()!
      if (epoch !== ledger.epoch || seq <= ledger.acked_seq) return 0
      const removed = sql.removeTo.run(Math.min(seq, knownSeq)).changes
      size -= removed
      sql.acked.run(removed, seq)
      const shift = Math.max(0, seq - knownSeq)
      const renumbered = shift > 0 ? renumber(db, knownSeq, shift) : 0
      if (shift > 0) sql.appended.run(ledger.last_seq + shift, 0)
      // A second such ack moves only what is behind this one.
      knownSeq = Math.max(knownSeq, seq)
      if (ledger.loss_started_at !== null && size <= maxRows * recoveredShare) reportLoss('ended')
      return renumbered
    }),
    reject: transaction((epoch: number, seq: number, problem: Problem) => {
      if (epoch !== sql.ledger.get()!.epoch) return
      sql.moveToDead.run(JSON.stringify(problem), Date.now(), seq)
      sql.trimDead.run(maxDeadLetters)
      const removed = sql.remove.run(seq).changes
      size -= removed
      sql.rejected.run(removed)
    }),
    deadLetters: limit => sql.dead.all(limit),
    status: () => statusOf(sql.ledger.get()!, { size, keptDead: sql.keptDead.get() ?? 0, oldest: sql.oldest.get() }),
    states: () => Object.fromEntries(sql.states.all().map(row => [row.rule_id, row.state])),
    close: () => db.close(),
  }
}

export const countDeadLetters = 'select count(*) from dead_letters'

export interface Held {
  readonly size: number
  readonly keptDead: number
  readonly oldest: { readonly seq: number; readonly created_at: number } | undefined
}

export const statusOf = (ledger: Ledger, { size, keptDead, oldest }: Held): OutboxStatus => ({
  epoch: ledger.epoch,
  size,
  oldestSeq: oldest?.seq ?? null,
  oldestAgeMs: oldest ? Math.max(0, Date.now() - oldest.created_at) : null,
  lastSeq: ledger.last_seq,
  ackedSeq: ledger.acked_seq,
  acked: ledger.acked,
  deadLetters: ledger.dead_letters,
  keptDeadLetters: keptDead,
  thinned: ledger.thinned,
  appended: ledger.appended,
})

/**
 * Central has acknowledged more than this outbox ever handed out: it was restored from an old copy, and numbered again what central has
 * had under the same numbers. Those messages would be taken for duplicates, so they move behind what central has.
 */
const renumber = (db: Database.Database, afterSeq: number, shift: number): number => {
  // In two steps, as every number must stay unique meanwhile.
  const { changes } = db
    .prepare("update messages set envelope = json_set(envelope, '$.seq', seq + ?), seq = -(seq + ?) where seq > ?")
    .run(shift, shift, afterSeq)
  db.prepare('update messages set seq = -seq where seq < 0').run()
  db.prepare('delete from lost_ranges').run()
  return changes
}

const openDatabase = (file: string): Database.Database => {
  const db = new Database(file)
  db.pragma('journal_mode = WAL')
  // FULL: an append survives the loss of power, not only of the process.
  db.pragma('synchronous = FULL')
  // Beside us only `watchpost-edge outbox` reads, for moments.
  db.pragma('busy_timeout = 5000')
  db.pragma('journal_size_limit = 16777216')
  const version = db.pragma('user_version', { simple: true }) as number
  if (version > migrations.length)
    throw new Error(
      `Outbox ${file} was written by a newer agent (version ${version}, this one knows ${migrations.length}). Update the agent, or move the file away.`,
    )
  // Nothing is written where nothing is new: a full disk lets an outbox be opened that it would not let be changed.
  if (version < migrations.length)
    db.transaction(() => {
      for (const migration of migrations.slice(version)) db.exec(migration)
      db.pragma(`user_version = ${migrations.length}`)
      db.prepare('insert or ignore into ledger (only_row, epoch) values (1, ?)').run(Date.now())
    }).immediate()
  return db
}
