import type { EventPhase } from '@watchpost/shared/contracts/event'
import type { OutboxRecord } from './outbox.js'

/** Observations looked at in one step of thinning; every second one of them goes. */
export const thinningStep = 200
/** Gaps reported in one data-loss event: some 10 KB. */
export const rangesPerLossEvent = 200
/** A loss is over when the outbox has drained to this share of its bound, so that it does not flap at the edge. */
export const recoveredShare = 0.9

export interface LostRange {
  readonly fromSeq: number
  readonly toSeq: number
}

/** What goes from a run of the oldest observations: every second one, so that the series only gets coarser. */
export const everySecond = <T>(oldestFirst: readonly T[]): readonly T[] =>
  oldestFirst.filter((_, index) => index % 2 === 0)

/** Sorted, with neighbours joined. */
export const mergeRanges = (ranges: readonly LostRange[]): readonly LostRange[] => {
  const merged: LostRange[] = []
  for (const range of ranges.toSorted((a, b) => a.fromSeq - b.fromSeq)) {
    const last = merged.at(-1)
    if (last && range.fromSeq <= last.toSeq + 1)
      merged[merged.length - 1] = { fromSeq: last.fromSeq, toSeq: Math.max(last.toSeq, range.toSeq) }
    else merged.push(range)
  }
  return merged
}

export interface Loss {
  readonly cameraId: string
  /** Unix milliseconds at which this loss began; names the happening. */
  readonly startedAt: number
  readonly phase: EventPhase
  readonly nowMs: number
  readonly lost: readonly LostRange[]
  /** Lost before they had a number, beside `lost`. */
  readonly unnumbered?: number
}

export const dataLossRecord = ({ cameraId, startedAt, phase, nowMs, lost, unnumbered = 0 }: Loss): OutboxRecord => ({
  cameraId,
  type: 'event.v1',
  data: {
    happeningId: `${cameraId}/outbox/${startedAt}/data-loss`,
    kind: 'data-loss',
    phase,
    severity: 'major',
    confidence: 1,
    analytic: 'outbox',
    phenomenonTime: new Date(nowMs).toISOString(),
    measure: {
      property: 'lostObservations',
      value: lost.reduce((sum, { fromSeq, toSeq }) => sum + toSeq - fromSeq + 1, unnumbered),
      unit: '1',
    },
    evidence: [],
    lost: [...lost],
  },
})
