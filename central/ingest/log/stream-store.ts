import type { Ledger } from '@watchpost/shared/api/incidents'
import type { Database } from 'better-sqlite3'
import { createStreamLedger, type RangeKind, type StreamLedger } from '../stream-ledger.js'

/** Ledgers of all streams, kept in memory and on disk. Used inside the writer's transactions only. */
export interface StreamStore {
  get(siteId: string, agentId: string, epoch: number): StreamLedger
  /** Writes what changed since the last call; belongs in the transaction of the messages themselves. */
  save(): void
  /** After a rolled back transaction: memory is forgotten, disk is right. */
  forget(): void
  /** Undefined for an agent nothing was ever received from. */
  ledgerOf(agentId: string): Ledger | undefined
  /** Of every stream. */
  acks(): readonly StreamAck[]
}

export interface StreamAck {
  readonly siteId: string
  readonly agentId: string
  readonly epoch: number
  readonly seq: number
}

interface StreamRow {
  readonly siteId: string
  readonly epoch: number
  readonly duplicates: number
  readonly byType: string
}

interface Touched {
  readonly siteId: string
  readonly agentId: string
  readonly epoch: number
  readonly ledger: StreamLedger
}

export const createStreamStore = (db: Database): StreamStore => {
  const selectStream = db.prepare<[string, number], StreamRow>(
    'SELECT site_id AS siteId, epoch, duplicates, by_type AS byType FROM stream WHERE agent_id = ? AND epoch = ?',
  )
  const selectEpochs = db.prepare<[string], StreamRow>(
    'SELECT site_id AS siteId, epoch, duplicates, by_type AS byType FROM stream WHERE agent_id = ? ORDER BY epoch',
  )
  const selectRanges = db.prepare<[string, number], { kind: RangeKind; from: number; to: number }>(
    'SELECT kind, from_seq AS "from", to_seq AS "to" FROM stream_range WHERE agent_id = ? AND epoch = ?',
  )
  const selectAcks = db.prepare<[], StreamAck>(
    'SELECT site_id AS siteId, agent_id AS agentId, epoch, acked_seq AS seq FROM stream ORDER BY agent_id, epoch',
  )
  const upsertStream = db.prepare(
    `INSERT INTO stream (agent_id, epoch, site_id, acked_seq, duplicates, by_type) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET site_id = excluded.site_id, acked_seq = excluded.acked_seq,
       duplicates = excluded.duplicates, by_type = excluded.by_type`,
  )
  const upsertRange = db.prepare(
    `INSERT INTO stream_range (agent_id, epoch, kind, from_seq, to_seq) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET to_seq = excluded.to_seq`,
  )
  const deleteRange = db.prepare(
    'DELETE FROM stream_range WHERE agent_id = ? AND epoch = ? AND kind = ? AND from_seq = ?',
  )
  const kept = new Map<string, StreamLedger>()
  const touched = new Map<string, Touched>()

  const load = (agentId: string, epoch: number): StreamLedger => {
    const key = `${agentId}/${epoch}`
    const known = kept.get(key)
    if (known !== undefined) return known
    const row = selectStream.get(agentId, epoch)
    const ledger = createStreamLedger(
      row && { duplicates: row.duplicates, byType: JSON.parse(row.byType), ranges: selectRanges.all(agentId, epoch) },
    )
    kept.set(key, ledger)
    return ledger
  }

  const saveStream = ({ siteId, agentId, epoch, ledger }: Touched): void => {
    const { ackedSeq, duplicates, byType, ranges } = ledger.takeChanges()
    upsertStream.run(agentId, epoch, siteId, ackedSeq, duplicates, JSON.stringify(byType))
    for (const { kind, from, to } of ranges)
      if (to === null) deleteRange.run(agentId, epoch, kind, from)
      else upsertRange.run(agentId, epoch, kind, from, to)
  }

  return {
    get: (siteId, agentId, epoch) => {
      const ledger = load(agentId, epoch)
      touched.set(`${agentId}/${epoch}`, { siteId, agentId, epoch, ledger })
      return ledger
    },
    save: () => {
      for (const stream of touched.values()) saveStream(stream)
      touched.clear()
    },
    forget: () => {
      kept.clear()
      touched.clear()
    },
    ledgerOf: agentId => {
      const rows = selectEpochs.all(agentId)
      const siteId = rows.at(-1)?.siteId
      if (siteId === undefined) return undefined
      return { agentId, siteId, epochs: rows.map(({ epoch }) => load(agentId, epoch).view(epoch)) }
    },
    acks: () => selectAcks.all(),
  }
}
