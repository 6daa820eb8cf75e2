import type { CandidateState } from './rollout-state.js'
import type { Slots } from './slots.js'

export interface CandidateNotesOptions {
  readonly slots: Slots
  readonly log: { warn(fields: object, message: string): void }
  /** It is noted. */
  readonly onGivenUp: (slot: string) => void
}

/** A candidate of which the agent died so often in a row is not opened again. */
const mostDeaths = 2

/** What has to be known of a candidate in the next life of the agent: whether this one may have ended of it, and why it was given up. */
export const createCandidateNotes = ({ slots, log, onGivenUp }: CandidateNotesOptions) => {
  const note = (slot: string, change: Pick<CandidateState, 'isOpening' | 'deaths'>): void => {
    const { candidate } = slots.get(slot)
    if (candidate) slots.note(slot, { candidate: { ...candidate, ...change } })
  }
  const giveUp = (slot: string, reason: string): void => {
    const { candidate } = slots.get(slot)
    if (!candidate) return
    const { digest } = candidate
    log.warn({ model: slot, digest, reason }, 'A candidate is given up; the active model goes on')
    const given = { ...candidate, isOpening: false, deaths: 0, failed: reason }
    slots.note(slot, { candidate: given, ...slots.happened('refused', digest, reason) })
    onGivenUp(slot)
  }

  return {
    /** Before anything of it runs. @throws when it cannot be stored: what ends the process cannot be noted afterwards. */
    opening(slot: string): void {
      const { candidate } = slots.get(slot)
      if (candidate) slots.write(slot, { candidate: { ...candidate, isOpening: true } })
    },
    /** It is not open any more; the agent lives. */
    closed(slot: string): void {
      if (slots.get(slot).candidate?.isOpening) note(slot, { isOpening: false })
    },
    /** It has run for a while, or the agent stops in good order: an end of the agent has other reasons. */
    acquit(slot: string): void {
      const { candidate } = slots.get(slot)
      if (candidate?.isOpening || candidate?.deaths) note(slot, { isOpening: false, deaths: 0 })
    },
    giveUp,
    /** Before cameras start: a candidate of which the agent keeps dying is given up. */
    recover(): void {
      for (const [slot, { candidate }] of Object.entries(slots.all())) {
        if (!candidate?.isOpening) continue
        const deaths = (candidate.deaths ?? 0) + 1
        if (deaths < mostDeaths) note(slot, { isOpening: false, deaths })
        else giveUp(slot, `The agent died ${deaths} times in a row while it was opened.`)
      }
    },
    /** With the deaths of the same package: central says the same again to an agent that died before it could take its word. */
    asWished(slot: string, candidate: CandidateState): CandidateState {
      const known = slots.get(slot).candidate
      return known?.deaths && known.digest === candidate.digest ? { ...candidate, deaths: known.deaths } : candidate
    },
    /**
     * Why it may not be promoted: it was given up in the shadow run in which it was to show itself. Undefined when it may; one that ran
     * before may always come back.
     */
    objection(slot: string, digest: string): string | undefined {
      const { candidate, previous } = slots.get(slot)
      if (candidate?.goal !== 'shadow' || candidate.digest !== digest || previous?.digest === digest) return undefined
      return candidate.failed
    },
  }
}
