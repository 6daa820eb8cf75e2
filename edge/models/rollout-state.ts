import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Guard, ModelHappening, ModelWish } from '@watchpost/shared/contracts/model-rollout'

/** What is known of one model of the configuration over restarts. A digest of null is the configuration's own package. */
export interface SlotState {
  /** Where the configuration's own package lay: an operator who names another one wins over an earlier promotion. */
  readonly configuredPath: string
  readonly active: string | null
  readonly previous: { readonly digest: string | null } | null
  readonly candidate: CandidateState | null
  readonly probation: ProbationState | null
  readonly last: {
    readonly at: string
    readonly what: ModelHappening
    readonly digest: string | null
    readonly reason: string
  } | null
  /** The last one that was acted upon. */
  readonly wish: ModelWish | null
}

export interface CandidateState {
  readonly digest: string
  readonly goal: 'shadow' | 'active'
  readonly cameras: readonly string[] | null
  readonly cpuShare: number
  readonly guard: Guard
  /** It is being opened, here or in the pool, or has judged nothing yet: a life of the agent that ends now may have ended of it. */
  readonly isOpening?: boolean
  /** Lives in a row that ended so. */
  readonly deaths?: number
  /** Why it was given up: it is not opened any more before it is wished anew. */
  readonly failed?: string
}

export interface ProbationState {
  /** Unix milliseconds. */
  readonly untilMs: number
  readonly failures: number
  readonly latencyFactor: number
  /** p95 of the model before it; null when it had judged too little. */
  readonly baselineP95Ms: number | null
  /** Starts of the agent since then that no clean stop went before. */
  readonly unclean: number
  /** The last run ended with a clean stop: the next start is none of those. */
  readonly stopped?: boolean
  /** Why it has to go back: set when the guard has spoken, until it is back. */
  readonly verdict?: string
}

export type RolloutState = Readonly<Record<string, SlotState>>

export interface RolloutStore {
  /** Empty when there is none, or none that can be read: then the configuration's own packages run. */
  read(): RolloutState
  /** Durable when it returns; a crash leaves the old or the new one, never half of one. @throws when the disk does not take it. */
  write(state: RolloutState): void
}

const fileVersion = 1

export const createRolloutStore = (path: string): RolloutStore => ({
  read: () => {
    try {
      const { version, slots } = JSON.parse(readFileSync(path, 'utf8')) as { version: number; slots: RolloutState }
      return version === fileVersion && typeof slots === 'object' && slots !== null ? slots : {}
    } catch {
      return {}
    }
  },
  write: slots => {
    mkdirSync(dirname(path), { recursive: true })
    const file = openSync(`${path}.tmp`, 'w', 0o600)
    try {
      // Not writeSync: on a disk that is nearly full it writes a part and says nothing.
      writeFileSync(file, JSON.stringify({ version: fileVersion, slots }))
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    renameSync(`${path}.tmp`, path)
  },
})
