import type { QueryClient } from '@tanstack/react-query'

/** Changes come in bursts; so long they are gathered before the lists they concern are read again. */
const gatherMs = 500

export interface Refresher {
  /** What is cached under this key is read again soon: once for all changes of that time, and never cut off by the next. */
  refresh(key: string): void
  stop(): void
}

/**
 * Invalidating at every event would cut off the request under way: with events faster than replies none would ever arrive.
 * Here a reply is waited for, and asked for once more when a change came meanwhile, which it may not show yet.
 */
export const createRefresher = (client: Pick<QueryClient, 'invalidateQueries' | 'isFetching'>): Refresher => {
  const waiting = new Map<string, ReturnType<typeof setTimeout>>()
  const running = new Set<string>()
  const again = new Set<string>()
  let stopped = false

  const refresh = (key: string): void => {
    if (stopped || waiting.has(key)) return
    if (running.has(key)) again.add(key)
    else
      waiting.set(
        key,
        setTimeout(() => void read(key), gatherMs),
      )
  }

  const read = async (key: string): Promise<void> => {
    waiting.delete(key)
    running.add(key)
    // A request that somebody else began may be older than the change.
    if (client.isFetching({ queryKey: [key] }) > 0) again.add(key)
    await client.invalidateQueries({ queryKey: [key] }, { cancelRefetch: false }).catch(() => {})
    running.delete(key)
    if (again.delete(key)) refresh(key)
  }

  return {
    refresh,
    stop: () => {
      stopped = true
      for (const timer of waiting.values()) clearTimeout(timer)
      waiting.clear()
    },
  }
}
