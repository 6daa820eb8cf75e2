import { readFileSync } from 'node:fs'

/**
 * Processor time of the calling thread in milliseconds; null where the kernel does not tell. Wall time would count the waiting of a
 * thread that steps back for others. Read synchronously: it must happen on this very thread.
 */
export const threadCpuMs = (): number | null => {
  try {
    return Number(readFileSync('/proc/thread-self/schedstat', 'latin1').split(' ', 1)[0]) / 1e6
  } catch {
    return null
  }
}
