import type { Envelope } from '@watchpost/shared/contracts/envelope'
import type { Problem } from '@watchpost/shared/contracts/primitives'
import { makeEnvelope } from '../envelope.js'
import { type DeadLetter, maxDeadLetters, type Outbox, type OutboxRecord } from '../outbox.js'
import {
  dataLossRecord,
  everySecond,
  type LostRange,
  mergeRanges,
  rangesPerLossEvent,
  recoveredShare,
  thinningStep,
} from '../thinning.js'

export interface MemoryOutboxOptions {
  readonly siteId: string
  readonly maxRows: number
}

interface Held {
  readonly envelope: Envelope
  readonly cameraId: string
  readonly createdAt: number
}

/** Outbox without a disk, for replays and tests: the same promises while the process lives. */
export const createMemoryOutbox = ({ siteId, maxRows }: MemoryOutboxOptions): Outbox => {
  const epoch = Date.now()
  const held = new Map<number, Held>()
  const dead: DeadLetter[] = []
  const states: Record<string, string> = {}
  const count = { deadLetters: 0, lastSeq: 0, ackedSeq: 0, appended: 0, acked: 0, thinned: 0, thinnedToSeq: 0 }
  let lost: readonly LostRange[] = []
  let loss: { readonly startedAt: number; readonly cameraId: string } | undefined

  const insert = (record: OutboxRecord): void => {
    const seq = ++count.lastSeq
    const nowMs = Date.now()
    const envelope = JSON.parse(JSON.stringify(makeEnvelope(record, { siteId, epoch, seq, nowMs }))) as Envelope
    held.set(seq, { envelope, cameraId: record.cameraId, createdAt: nowMs })
    count.appended++
  }
  const reportLoss = (phase: 'began' | 'updated' | 'ended'): void => {
    const gone = lost
    lost = []
    insert(dataLossRecord({ ...loss!, phase, nowMs: Date.now(), lost: gone }))
    if (phase === 'ended') loss = undefined
  }
  const observationsAfter = (seq: number): readonly number[] =>
    [...held]
      .flatMap(([key, { envelope }]) => (key > seq && envelope.type === 'observation.v1' ? [key] : []))
      .slice(0, thinningStep)
  const thinOnce = (): number => {
    const further = observationsAfter(count.thinnedToSeq)
    const seen = further.length > 0 ? further : observationsAfter(0)
    const going = everySecond(seen)
    if (going.length === 0) return 0
    const cameraId = held.get(going[0]!)!.cameraId
    for (const seq of going) held.delete(seq)
    lost = mergeRanges([...lost, ...going.map(seq => ({ fromSeq: seq, toSeq: seq }))])
    count.thinned += going.length
    count.thinnedToSeq = seen.at(-1)!
    if (!loss) {
      loss = { startedAt: Date.now(), cameraId }
      reportLoss('began')
    } else if (lost.length >= rangesPerLossEvent) reportLoss('updated')
    return going.length
  }

  return {
    append: async (records, newStates = {}) => {
      for (const record of records) insert(record)
      for (const [ruleId, state] of Object.entries(newStates))
        if (state === null || state === undefined) delete states[ruleId]
        else states[ruleId] = JSON.stringify(state)
      while (held.size > maxRows && thinOnce() > 0);
    },
    readAfter: async (seq, limit) =>
      [...held]
        .filter(([key]) => key > seq)
        .slice(0, limit)
        .map(([, { envelope }]) => envelope),
    acknowledge: async (ackedEpoch, seq) => {
      // No copy of this outbox can be older than itself, so a higher number is not ours.
      if (ackedEpoch !== epoch || seq <= count.ackedSeq || seq > count.lastSeq) return
      for (const key of [...held.keys()].filter(key => key <= seq)) {
        held.delete(key)
        count.acked++
      }
      count.ackedSeq = seq
      if (loss && held.size <= maxRows * recoveredShare) reportLoss('ended')
    },
    reject: async (rejectedEpoch, seq, problem: Problem) => {
      const found = held.get(seq)
      if (rejectedEpoch !== epoch || !found) return
      held.delete(seq)
      dead.push({ envelope: found.envelope, problem, rejectedAt: new Date().toISOString() })
      count.deadLetters++
      if (dead.length > maxDeadLetters) dead.shift()
    },
    deadLetters: async limit => dead.slice(0, limit),
    status: async () => {
      const oldest = held.entries().next().value
      return {
        epoch,
        size: held.size,
        oldestSeq: oldest?.[0] ?? null,
        oldestAgeMs: oldest ? Date.now() - oldest[1].createdAt : null,
        lastSeq: count.lastSeq,
        ackedSeq: count.ackedSeq,
        acked: count.acked,
        deadLetters: count.deadLetters,
        keptDeadLetters: dead.length,
        thinned: count.thinned,
        appended: count.appended,
      }
    },
    states: async () =>
      Object.fromEntries(Object.entries(states).map(([id, state]) => [id, JSON.parse(state) as unknown])),
    close: async () => {},
  }
}
