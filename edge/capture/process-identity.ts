import { readFileSync } from 'node:fs'

/** A process that cannot be mistaken for another: numbers are reused, a number with its start time since this boot is not. */
export interface ProcessIdentity {
  readonly pid: number
  readonly startTicks: number
  readonly bootId: string
}

/** Undefined when no such process runs (or this is not Linux). A zombie counts as gone. */
export const identify = (pid: number): ProcessIdentity | undefined => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name stands in brackets and may hold spaces and brackets itself, so count from the last one. proc(5): state is 3rd, starttime 22nd.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined
    const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    return { pid, startTicks: Number(fields[19]), bootId }
  } catch {
    return undefined
  }
}

export const isRunning = (identity: ProcessIdentity): boolean => {
  const now = identify(identity.pid)
  return now !== undefined && now.startTicks === identity.startTicks && now.bootId === identity.bootId
}
