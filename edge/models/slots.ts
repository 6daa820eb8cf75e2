import type { ModelHappening } from '@watchpost/shared/contracts/model-rollout'
import type { RolloutState, RolloutStore, SlotState } from './rollout-state.js'

/** The state of all models, on disk before anybody hears of it. */
export interface Slots {
  /** Reads what an earlier run left. */
  recover(): void
  /** Of a model nothing was ever done to: its configured package. */
  get(slot: string): SlotState
  all(): RolloutState
  write(slot: string, change: Partial<SlotState>): void
  /** The part of a change that says what happened. */
  happened(what: ModelHappening, digest: string | null, reason: string): Pick<SlotState, 'last'>
  onChanged(listener: () => void): void
}

const longestReason = 1000

export const createSlots = (store: RolloutStore, now: () => number): Slots => {
  let state: RolloutState = {}
  let onChanged = (): void => {}
  const get = (slot: string): SlotState => state[slot] ?? untouched
  return {
    recover() {
      state = store.read()
    },
    get,
    all: () => state,
    write(slot, change) {
      state = { ...state, [slot]: { ...get(slot), ...change } }
      store.write(state)
      onChanged()
    },
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
