export interface BackOff {
  /** How long to wait before the next attempt, ms. */
  nextMs(): number
  /** The connection proved steady: the next loss starts from the base again. */
  reset(): void
}

export interface BackOffOptions {
  readonly baseMs: number
  readonly ceilingMs: number
  /** 0..1, for tests. */
  readonly random?: () => number
}

/** Doubles from the base to the ceiling; half of each delay is random, so that cameras behind one switch do not return in step. */
export const createBackOff = ({ baseMs, ceilingMs, random = Math.random }: BackOffOptions): BackOff => {
  let attempt = 0
  return {
    nextMs() {
      const fullMs = Math.min(ceilingMs, baseMs * 2 ** attempt)
      attempt = Math.min(attempt + 1, 30)
      return fullMs * (0.5 + random() / 2)
    },
    reset() {
      attempt = 0
    },
  }
}
