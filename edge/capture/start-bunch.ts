/** A source whose pictures never come at their usual distance is taken as it is after so long. */
const longestBunchMs = 3_000

export interface StartBunch<T> {
  push(picture: T): void
  close(): void
}

/**
 * While ffmpeg finds out what a stream holds it gathers pictures, seconds of them, and gives them all at once. Only the newest of
 * them shows what is now: it is delivered as soon as none follows for half of `periodMs`, the distance between pictures, and from then on
 * every picture is, at once. `agoMs`: how long before the call it was pushed.
 */
export const createStartBunch = <T>(periodMs: number, deliver: (picture: T, agoMs: number) => void): StartBunch<T> => {
  let isOver = false
  let beganAt: number | undefined
  let timer: NodeJS.Timeout | undefined

  return {
    push(picture) {
      clearTimeout(timer)
      if (isOver) return deliver(picture, 0)
      const pushedAt = performance.now()
      beganAt ??= pushedAt
      const end = () => {
        isOver = true
        deliver(picture, performance.now() - pushedAt)
      }
      if (pushedAt - beganAt > longestBunchMs) end()
      else timer = setTimeout(end, periodMs / 2)
    },
    close() {
      clearTimeout(timer)
    },
  }
}
