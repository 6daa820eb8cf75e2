import type { EventKind } from '@watchpost/shared/contracts/event'
import type { SeenEvent } from '../run-records.js'
import type { Truth, TruthHappening } from '../truth.js'
import { bestPairs } from './best-pairs.js'
import { isWithin, type Span } from './figures.js'

export const violationKinds = ['red-light', 'wrong-way', 'line-crossing', 'no-entry', 'illegal-stopping'] as const
export type ViolationKind = (typeof violationKinds)[number]

export interface ViolationMatch {
  readonly kind: ViolationKind
  readonly truth: TruthHappening
  readonly event: SeenEvent
}

export interface ViolationScore {
  readonly found: readonly ViolationMatch[]
  readonly missed: readonly TruthHappening[]
  /** Events without a violation. */
  readonly invented: readonly SeenEvent[]
}

/** An event and the moment it is about may differ by so much. */
const toleranceS = 3

/** Pairs violations with events of the same kind, one to one, so that the most pairs are found and then the nearest. */
export const scoreViolations = (
  truth: Truth,
  { playedS, heldS }: { readonly playedS: number; readonly heldS: number },
  events: readonly SeenEvent[],
): ViolationScore => {
  const began = events.filter(({ kind, phase }) => phase === 'began' && isViolation(kind))
  const windows = truth.happenings
    .filter(({ kind }) => isViolation(kind))
    .map(happening => ({ happening, window: windowOf(truth, happening, heldS) }))
    // One that could not have been told before the end of the play is not asked for, but may be found.
    .map(entry => ({ ...entry, isAsked: entry.window.due <= playedS }))
  const gain = (row: number, column: number) => {
    const { happening, window } = windows[row]!
    const event = began[column]!
    if (event.kind !== happening.kind || !isWithin(event.t, window)) return 0
    return 1000 - Math.abs(event.t - window.due)
  }
  const pairs = bestPairs(windows.length, began.length, gain)
  const paired = new Set(pairs.map(([, column]) => column))
  const foundRows = new Set(pairs.map(([row]) => row))
  return {
    found: pairs.map(([row, column]) => ({
      kind: began[column]!.kind as ViolationKind,
      truth: windows[row]!.happening,
      event: began[column]!,
    })),
    missed: windows.filter(({ isAsked }, row) => isAsked && !foundRows.has(row)).map(({ happening }) => happening),
    invented: began.filter((_, column) => !paired.has(column)),
  }
}

const isViolation = (kind: EventKind): kind is ViolationKind => (violationKinds as readonly EventKind[]).includes(kind)

interface Window extends Span {
  /** When it should be told. */
  readonly due: number
}

const windowOf = (truth: Truth, { kind, from, until, at }: TruthHappening, heldS: number): Window => {
  if (kind !== 'illegal-stopping') {
    const due = at ?? from
    // Who drives against the traffic for a while is rightly told of as long as it lasts.
    return { due, from: due - toleranceS, until: Math.max(due + toleranceS, until) }
  }
  // A vehicle that stands there in the first frame also stood there while that frame was held.
  const stoodBefore = from <= 0 ? heldS : 0
  const due = from + (truth.noStoppingSeconds ?? 0)
  return { due, from: due - stoodBefore - toleranceS, until: Math.max(until, due) + toleranceS }
}

export interface PrecisionRecall {
  readonly precision: number | null
  readonly recall: number | null
  readonly found: number
  readonly missed: number
  readonly invented: number
}

export const precisionRecall = (scores: readonly ViolationScore[], kind?: ViolationKind): PrecisionRecall => {
  const count = (of: (score: ViolationScore) => readonly { readonly kind: EventKind }[]) =>
    scores.flatMap(of).filter(one => kind === undefined || one.kind === kind).length
  const [found, missed, invented] = [count(s => s.found), count(s => s.missed), count(s => s.invented)]
  return {
    precision: found + invented === 0 ? null : found / (found + invented),
    recall: found + missed === 0 ? null : found / (found + missed),
    found,
    missed,
    invented,
  }
}
