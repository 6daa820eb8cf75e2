export interface Part {
  readonly name: string
  start?(): Promise<void> | void
  stop?(): Promise<void> | void
}

export interface Lifecycle {
  /** Rejects with the first failure, after what was started is stopped again. */
  start(): Promise<void>
  /** Stops every part, also when one of them fails; rejects with the first failure then. Idempotent. */
  stop(): Promise<void>
}

/** Starts last to first, so nobody produces before someone listens; stops first to last: stop taking in, drain, close. */
export const lifecycle = (parts: readonly Part[]): Lifecycle => {
  let running: Part[] = []
  const stop = async (): Promise<void> => {
    const stopping = running
    running = []
    const failures: unknown[] = []
    for (const part of stopping) {
      try {
        await part.stop?.()
      } catch (error) {
        failures.push(error)
      }
    }
    if (failures.length > 0) throw failures[0]
  }
  return {
    async start() {
      for (const part of parts.toReversed()) {
        running.unshift(part)
        try {
          await part.start?.()
        } catch (error) {
          await stop().catch(() => undefined)
          throw error
        }
      }
    },
    stop,
  }
}
