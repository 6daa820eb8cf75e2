export interface Watchdog {
  feed(): void
  close(): void
}

/** A process that was suspended or busy finds its timer run out before it has read what arrived meanwhile; so it looks twice. */
const secondLookMs = 50

/** Calls `onExpire` once, `limitMs` after the last `feed()`. Monotonic time: a stepped wall clock must not restart every camera. */
export const createWatchdog = (limitMs: number, onExpire: () => void): Watchdog => {
  let fedAt = performance.now()
  const leftMs = (): number => fedAt + limitMs - performance.now()

  // Re-armed only when it runs out: frames feed it many times a second.
  const check = (): void => {
    timer = leftMs() > 0 ? setTimeout(check, Math.max(leftMs(), 1)) : setTimeout(confirm, secondLookMs)
  }
  const confirm = (): void => {
    if (leftMs() <= 0) onExpire()
    else timer = setTimeout(check, leftMs())
  }
  let timer = setTimeout(check, limitMs)

  return {
    feed() {
      fedAt = performance.now()
    },
    close() {
      clearTimeout(timer)
    },
  }
}
