import type { Ledger } from '@watchpost/shared/api/incidents'
import type { EnvelopeType } from '@watchpost/shared/contracts/envelope'
import { createSeqRanges, type RangeChange, type SeqRange, type SeqRanges } from './seq-ranges.js'

/** Why numbers will never arrive. */
export type LossReason = 'thinned' | 'not-held'
export type EpochLedger = Ledger['epochs'][number]

/** What a ledger is rebuilt from after a restart. */
export interface SavedStream {
  readonly duplicates: number
  readonly byType: Readonly<Record<string, number>>
  readonly ranges: readonly (SeqRange & { readonly kind: RangeKind })[]
}
export type RangeKind = 'received' | 'refused' | LossReason

/**
 * The account of one stream, that is one agent and epoch: which numbers are committed, refused, or declared lost.
 * Pure. What was refused or declared lost and arrives after all is committed: the message beats the declaration.
 */
export interface StreamLedger {
  /** False for a duplicate, which is counted. */
  accept(seq: number, type: EnvelopeType): boolean
  /** False when it was refused or accepted before. */
  refuse(seq: number): boolean
  /** Numbers of the range that are not accounted for otherwise. Returns how many those are. */
  declareLost(from: number, to: number, reason: LossReason): number
  /** Everything up to here is accounted for; 0: nothing yet. */
  ackedSeq(): number
  view(epoch: number): EpochLedger
  /** What to write to disk so that `createStreamLedger` can take it up again. */
  takeChanges(): StreamChanges
}

export interface StreamChanges extends Omit<SavedStream, 'ranges'> {
  readonly ackedSeq: number
  readonly ranges: readonly (RangeChange & { readonly kind: RangeKind })[]
}

const losses: readonly LossReason[] = ['thinned', 'not-held']

export const createStreamLedger = (saved?: SavedStream): StreamLedger => {
  const of = (kind: RangeKind): SeqRanges => createSeqRanges(saved?.ranges.filter(range => range.kind === kind))
  const received = of('received')
  const refused = of('refused')
  const lost: Readonly<Record<LossReason, SeqRanges>> = { thinned: of('thinned'), 'not-held': of('not-held') }
  const accounted = createSeqRanges(saved?.ranges)
  const byType: Record<string, number> = { ...saved?.byType }
  let duplicates = saved?.duplicates ?? 0

  const ackedSeq = (): number => accounted.runFrom(1)

  return {
    ackedSeq,
    accept: (seq, type) => {
      if (received.add(seq, seq) === 0) {
        duplicates++
        return false
      }
      if (accounted.add(seq, seq) === 0) for (const other of [refused, ...Object.values(lost)]) other.remove(seq, seq)
      byType[type] = (byType[type] ?? 0) + 1
      return true
    },
    refuse: seq => {
      if (received.has(seq)) return false
      if (accounted.add(seq, seq) === 0) for (const reason of losses) lost[reason].remove(seq, seq)
      return refused.add(seq, seq) === 1
    },
    declareLost: (from, to, reason) => {
      if (to < from) return 0
      let declared = 0
      for (const gap of accounted.missing(from, to)) {
        lost[reason].add(gap.from, gap.to)
        declared += accounted.add(gap.from, gap.to)
      }
      // The batch shows a hole before the event that explains it arrives.
      if (reason === 'thinned')
        for (const part of lost['not-held'].present(from, to)) {
          lost['not-held'].remove(part.from, part.to)
          lost.thinned.add(part.from, part.to)
        }
      return declared
    },
    view: epoch => {
      const acked = ackedSeq()
      const highestSeq = accounted.list().at(-1)?.to ?? 0
      return {
        epoch,
        ackedSeq: acked,
        highestSeq,
        received: received.size(),
        duplicates,
        refused: refused.size(),
        ranges: [...received.list()],
        firstGap: acked < highestSeq ? { ...accounted.missing(acked + 1, highestSeq)[0]! } : null,
        lost: losses
          .flatMap(reason => lost[reason].list().map(range => ({ ...range, reason: reasonText[reason] })))
          .sort((a, b) => a.from - b.from),
        byType: { ...byType },
      }
    },
    takeChanges: () => ({
      ackedSeq: ackedSeq(),
      duplicates,
      byType: { ...byType },
      ranges: (
        [['received', received], ['refused', refused], ...Object.entries(lost)] as [RangeKind, SeqRanges][]
      ).flatMap(([kind, ranges]) => ranges.takeChanges().map(change => ({ ...change, kind }))),
    }),
  }
}

const reasonText: Readonly<Record<LossReason, string>> = {
  thinned: 'thinned by the agent while its outbox was full',
  'not-held': 'no longer held by the agent',
}
