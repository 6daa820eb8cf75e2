import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CaptureLog } from './capture-log.js'
import { identify, isRunning, type ProcessIdentity } from './process-identity.js'

interface Entry {
  readonly cameraId: string
  readonly child: ProcessIdentity
  readonly owner: ProcessIdentity
}

export interface ChildRegister {
  /** Ends children that an earlier agent left behind (it was killed). Only those it wrote down, and only if they are still the same process. */
  sweep(): number
  /** Returns how to forget the child again. */
  record(cameraId: string, pid: number): () => void
}

/** One small file per running ffmpeg. Without it a frozen camera's ffmpeg outlives a killed agent for ever: it notices a dead pipe only when it writes. */
export const createChildRegister = (folder: string, log: CaptureLog): ChildRegister => ({
  sweep() {
    let swept = 0
    for (const name of fileNames(folder)) {
      const file = join(folder, name)
      const entry = readEntry(file)
      if (entry !== undefined) {
        if (isRunning(entry.owner)) continue
        if (isRunning(entry.child) && kill(entry.child.pid)) {
          swept++
          log.warn(
            { cameraId: entry.cameraId, pid: entry.child.pid },
            'An ffmpeg left behind by an earlier agent was ended',
          )
        }
      }
      rmSync(file, { force: true })
    }
    return swept
  },

  record(cameraId, pid) {
    const child = identify(pid)
    const owner = identify(process.pid)
    if (child === undefined || owner === undefined) return () => {}
    const file = join(folder, `${cameraId}.${pid}.json`)
    const entry: Entry = { cameraId, child, owner }
    try {
      mkdirSync(folder, { recursive: true })
      writeFileSync(file, JSON.stringify(entry))
    } catch (err) {
      log.warn(
        { cameraId, err },
        'The ffmpeg process could not be written down; if the agent is killed it may stay behind',
      )
    }
    return () => rmSync(file, { force: true })
  },
})

const fileNames = (folder: string): string[] => {
  try {
    return readdirSync(folder).filter(name => name.endsWith('.json'))
  } catch {
    return []
  }
}

const readEntry = (file: string): Entry | undefined => {
  try {
    const entry = JSON.parse(readFileSync(file, 'utf8')) as Entry
    return typeof entry.child.pid === 'number' && typeof entry.owner.pid === 'number' ? entry : undefined
  } catch {
    return undefined
  }
}

const kill = (pid: number): boolean => {
  try {
    return process.kill(pid, 'SIGKILL')
  } catch {
    return false
  }
}
