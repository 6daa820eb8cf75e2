import type { ModelHappening } from '@watchpost/shared/contracts/model-rollout'
import type { RolloutState, RolloutStore, SlotState } from './rollout-state.js'

/** The state of all models, here and on disk. */
export interface Slots {
  /** Reads what an earlier run left. */
  recover(): void
  /** Of a model nothing was ever done to: its configured package. */
  get(slot: string): SlotState
  all(): RolloutState
  /** What is to be done: on disk before anybody hears of it. @throws when it cannot be stored; nothing has changed then. */
  write(slot: string, change: Partial<SlotState>): void
  /** What has happened already, and is true on a full disk, too: stored now or by a later `retry`. Never throws. */
  note(slot: string, change: Partial<SlotState>): void
  /** Stores what a `note` could not. Never throws. */
  retry(): void
  /** False while the disk still tells of an earlier state. */
  isStored(): boolean
  /** The part of a change that says what happened. */
  happened(what: ModelHappening, digest: string | null, reason: string): Pick<SlotState, 'last'>
  onChanged(listener: () => void): void
}

const longestReason = 1000

export interface SlotsOptions {
  readonly now: () => number
  readonly log: { info(fields: object, message: string): void; warn(fields: object, message: string): void }
}

export const createSlots = (store: RolloutStore, { now, log }: SlotsOptions): Slots => {
  let state: RolloutState = {}
  let isStored = true
  let onChanged = (): void => {}
  const get = (slot: string): SlotState => state[slot] ?? untouched
  const changed = (slot: string, change: Partial<SlotState>): RolloutState => ({
    ...state,
    [slot]: { ...get(slot), ...change },
  })
  const keep = (): void => {
    const wasStored = isStored
    try {
      store.write(state)
      isStored = true
      if (!wasStored) log.info({}, 'The state of the models is on disk again')
    } catch (error) {
      isStored = false
      if (wasStored) log.warn({ err: error }, 'The state of the models cannot be written; tried again until it can')
    }
  }
  return {
    recover() {
      state = store.read()
    },
    get,
    all: () => state,
    write(slot, change) {
      const next = changed(slot, change)
      try {
        store.write(next)
      } catch (error) {
        throw new Error(`The state of the models cannot be written: ${(error as Error).message}`, { cause: error })
      }
      isStored = true
      state = next
      onChanged()
    },
    note(slot, change) {
      state = changed(slot, change)
      keep()
      onChanged()
    },
    retry() {
      if (!isStored) keep()
    },
    isStored: () => isStored,
    happened: (what, digest, reason) => ({
      last: { at: new Date(now()).toISOString(), what, digest, reason: reason.slice(0, longestReason) },
    }),
    onChanged(listener) {
      onChanged = listener
    },
  }
}

export const untouched: SlotState = {
  configuredPath: '',
  active: null,
  previous: null,
  candidate: null,
  probation: null,
  last: null,
  wish: null,
}
