import type { Fault, FaultOrder, ScheduledFault } from './faults.js'

/** The faults of one stream: those ordered for a time, and those that belong to a place of the scene. */
export interface FaultBoard {
  /** Begins a fault now; the function it returns ends it earlier. */
  order(order: FaultOrder, nowS: number): () => void
  /** Ends all that was ordered. */
  clear(): void
  active(nowS: number, positionS: number): readonly Fault[]
}

export const createFaultBoard = (scheduled: readonly ScheduledFault[]): FaultBoard => {
  let ordered: { readonly fault: Fault; readonly untilS: number }[] = []
  return {
    order({ forS = Number.POSITIVE_INFINITY, ...fault }, nowS) {
      const entry = { fault, untilS: nowS + forS }
      ordered.push(entry)
      return () => {
        ordered = ordered.filter(other => other !== entry)
      }
    },
    clear() {
      ordered = []
    },
    active(nowS, positionS) {
      ordered = ordered.filter(({ untilS }) => untilS > nowS)
      return [
        ...ordered.map(({ fault }) => fault),
        ...scheduled.filter(({ fromS, untilS }) => positionS >= fromS && positionS < untilS),
      ]
    },
  }
}
