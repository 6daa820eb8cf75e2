import type { Disagreement, ShadowReport } from '@watchpost/shared/contracts/shadow-report'
import type { Decoded } from '../inference-result.js'

export type Thresholds = Readonly<Record<string, number>>
export type Seen = Disagreement['onlyActive'][number]

/** What one class adds to the counts. */
export interface ClassCount {
  readonly label: string
  readonly agree: number
  readonly onlyActive: number
  readonly onlyCandidate: number
  /** Overlaps of the matched boxes, summed; areas need none: their overlap follows from the counts. */
  readonly iouSum: number
}

/** How two models judged the same frame. */
export interface Comparison {
  readonly unit: ShadowReport['unit']
  readonly classes: readonly ClassCount[]
  /** 0: the same; 1: nothing in common. */
  readonly score: number
  /** What only one of them saw, the surest first. */
  readonly onlyActive: readonly Seen[]
  readonly onlyCandidate: readonly Seen[]
}

export interface Judged {
  readonly decoded: Decoded
  readonly thresholds: Thresholds
}

/** What the analytics take where a package sets no threshold. */
const defaultThreshold = 0.5

export const thresholdOf = (thresholds: Thresholds, label: string): number =>
  thresholds[label] ?? thresholds.default ?? defaultThreshold

/** At most as many as a report may name. */
export const surest = (seen: readonly Seen[]): readonly Seen[] =>
  seen.toSorted((a, b) => b.confidence - a.confidence).slice(0, mostSeen)

const mostSeen = 20

/** Share of what was seen that only one of them saw. */
export const scoreOf = (classes: readonly Pick<ClassCount, 'agree' | 'onlyActive' | 'onlyCandidate'>[]): number => {
  const [agree, apart] = classes.reduce(
    ([same, differing], one) => [same + one.agree, differing + one.onlyActive + one.onlyCandidate],
    [0, 0],
  )
  return agree + apart === 0 ? 0 : apart / (agree + apart)
}
