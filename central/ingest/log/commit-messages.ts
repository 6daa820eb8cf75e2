import type { Nack } from '@watchpost/shared/contracts/delivery'
import type { AgentAddress } from '@watchpost/shared/topics'
import type { Database } from 'better-sqlite3'
import { type CheckedBatch, checkBatch, type Refusal, type RefusalReason } from '../check-batch.js'
import type { StreamLedger } from '../stream-ledger.js'
import type { StreamAck, StreamStore } from './stream-store.js'

/** One `data` message as it came from the broker. */
export interface DataMessage extends AgentAddress {
  /** Unix milliseconds at central. */
  readonly receivedAt: number
  readonly payload: Uint8Array
}

export interface Committed {
  /** One per stream touched: everything up to `seq` is on disk. */
  readonly acks: readonly StreamAck[]
  readonly nacks: readonly (AgentAddress & { readonly nack: Nack })[]
  readonly counts: CommitCounts
  /** Newest position of the log. */
  readonly tip: number
}

/** received = committed + duplicates + the sum of refused: nothing vanishes. */
export interface CommitCounts {
  readonly received: number
  readonly committed: number
  readonly duplicates: number
  readonly refused: Readonly<Partial<Record<RefusalReason, number>>>
  readonly declaredLost: number
}

const longestDeadLetter = 64 * 1024
const longestDetail = 500
const keptDeadLetters = 100_000

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

/** Judges, de-duplicates and stores messages in one transaction: when it returns, all of it survives a power cut. */
export const createCommitMessages = (db: Database, streams: StreamStore) => {
  const insertRecord = db.prepare(
    'INSERT INTO log (received_at, site_id, agent_id, camera_id, envelope) VALUES (?, ?, ?, ?, ?)',
  )
  const insertDeadLetter = db.prepare(
    `INSERT INTO dead_letter (received_at, site_id, agent_id, epoch, seq, reason, detail, content)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  )
  const trimDeadLetters = db.prepare('DELETE FROM dead_letter WHERE number <= ?')
  // sqlite_sequence remembers the last position also when the log was trimmed empty.
  const selectTip = db.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'log'").pluck()

  const bury = (message: DataMessage, epoch: number | null, { seq, reason, detail, content }: Refusal): void => {
    const { receivedAt, siteId, agentId } = message
    const cut = content.slice(0, longestDeadLetter)
    const { lastInsertRowid } = insertDeadLetter.run(
      receivedAt,
      siteId,
      agentId,
      epoch,
      seq ?? null,
      reason,
      detail.slice(0, longestDetail),
      cut,
    )
    if (Number(lastInsertRowid) % 1000 === 0) trimDeadLetters.run(Number(lastInsertRowid) - keptDeadLetters)
  }

  const commitOne = (message: DataMessage, batch: CheckedBatch, result: CommitDraft): void => {
    const { siteId, agentId, receivedAt } = message
    const refuse = (epoch: number | null, refusal: Refusal) => {
      result.counts.received++
      result.refused[refusal.reason] = (result.refused[refusal.reason] ?? 0) + 1
      bury(message, epoch, refusal)
    }
    if (batch.malformed) {
      refuse(null, batch.malformed)
      return
    }
    const ledger = streams.get(siteId, agentId, batch.epoch)
    for (const { envelope, cameraId, content } of batch.accepted) {
      result.counts.received++
      if (!ledger.accept(envelope.seq, envelope.type)) {
        result.counts.duplicates++
        continue
      }
      insertRecord.run(receivedAt, siteId, agentId, cameraId, content)
      result.counts.committed++
    }
    for (const refusal of batch.refused) {
      // Refused again: the nack was lost on its way, the dead letter is there already.
      const known = refusal.seq !== undefined && !ledger.refuse(refusal.seq)
      if (known) {
        result.counts.received++
        result.counts.duplicates++
      } else refuse(batch.epoch, refusal)
      if (refusal.seq !== undefined)
        result.nacks.push({ siteId, agentId, nack: nackOf(batch.epoch, refusal.seq, refusal) })
    }
    result.counts.declaredLost += declareLosses(ledger, batch)
    result.acks.set(`${agentId}/${batch.epoch}`, { siteId, agentId, epoch: batch.epoch, seq: ledger.ackedSeq() })
  }

  const run = db.transaction((messages: readonly DataMessage[]): Committed => {
    const draft: CommitDraft = {
      counts: { received: 0, committed: 0, duplicates: 0, declaredLost: 0 },
      refused: {},
      nacks: [],
      acks: new Map(),
    }
    for (const message of messages) commitOne(message, checkBatch(message.siteId, message.payload), draft)
    streams.save()
    return {
      acks: [...draft.acks.values()],
      nacks: draft.nacks,
      counts: { ...draft.counts, refused: draft.refused },
      tip: Number(selectTip.get() ?? 0),
    }
  })

  return (messages: readonly DataMessage[]): Committed => {
    try {
      return run(messages)
    } catch (error) {
      streams.forget()
      throw error
    }
  }
}

interface CommitDraft {
  readonly counts: Mutable<Omit<CommitCounts, 'refused'>>
  readonly refused: Partial<Record<RefusalReason, number>>
  readonly nacks: (AgentAddress & { readonly nack: Nack })[]
  readonly acks: Map<string, StreamAck>
}

/**
 * Numbers that will never arrive. A declaration reaches no further than the messages it came with: a wrong one must
 * never make central acknowledge what the agent has not sent yet, because the agent deletes what is acknowledged.
 */
const declareLosses = (ledger: StreamLedger, batch: Exclude<CheckedBatch, { malformed: Refusal }>): number => {
  let declared = 0
  for (const { envelope } of batch.accepted)
    if (envelope.type === 'event.v1' && envelope.data.kind === 'data-loss')
      for (const { fromSeq, toSeq } of envelope.data.lost ?? [])
        declared += ledger.declareLost(fromSeq, Math.min(toSeq, envelope.seq - 1), 'thinned')
  if (batch.span === undefined) return declared
  const { lowestSeq, highestSeq } = batch.span
  declared += ledger.declareLost(1, Math.min(batch.oldestSeq, lowestSeq) - 1, 'not-held')
  if (batch.afterSeq !== undefined && batch.afterSeq < lowestSeq)
    declared += ledger.declareLost(batch.afterSeq + 1, highestSeq, 'not-held')
  return declared
}

const titles: Readonly<Record<RefusalReason, string>> = {
  'malformed-batch': 'Batch cannot be read',
  'unknown-type': 'Message is of a type central does not know',
  'invalid-message': 'Message does not fit its schema',
  'foreign-source': 'Message comes from a camera of another site',
  'foreign-epoch': 'Message belongs to another epoch than its batch',
}

const nackOf = (epoch: number, seq: number, { reason, detail }: Refusal): Nack => ({
  epoch,
  seq,
  problem: {
    type: `https://watchpost.dev/problems/${reason}`,
    title: titles[reason],
    status: 422,
    detail: detail.slice(0, longestDetail),
  },
})
