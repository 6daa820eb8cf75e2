export interface HoldTimes {
  /** True for so long before it begins. */
  readonly beginMs: number
  /** False for so long before it ends. */
  readonly endMs: number
}

export interface Hold {
  readonly isHeld: boolean
  /** 'began' or 'ended' when it changes now. */
  update(isTrue: boolean, at: number): 'began' | 'ended' | null
}

/** Debounces a yes or no in the time of the frames. */
export const createHold = ({ beginMs, endMs }: HoldTimes): Hold => {
  let isHeld = false
  let differsSince: number | undefined
  return {
    get isHeld() {
      return isHeld
    },
    update(isTrue, at) {
      if (isTrue === isHeld) {
        differsSince = undefined
        return null
      }
      if (differsSince === undefined || at < differsSince) differsSince = at
      if (at - differsSince < (isHeld ? endMs : beginMs)) return null
      isHeld = isTrue
      differsSince = undefined
      return isHeld ? 'began' : 'ended'
    },
  }
}
