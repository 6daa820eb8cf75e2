import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { join } from 'node:path'

/** Settings of central that ran. */
export interface StoredDesired {
  readonly version: number
  readonly config: Readonly<Record<string, unknown>>
}

export interface DesiredStore {
  /** Undefined when there is none, or none that can be read. */
  read(): StoredDesired | undefined
  /** Durable when it returns; a crash leaves the old or the new one, never half of one. */
  write(desired: StoredDesired): void
}

/** `desired.json` in `dataDir`: an agent that starts without a connection runs what central last gave it. */
export const createDesiredStore = (dataDir: string): DesiredStore => {
  const path = join(dataDir, 'desired.json')
  return {
    read: () => {
      try {
        const { version, config } = JSON.parse(readFileSync(path, 'utf8')) as StoredDesired
        return Number.isInteger(version) && typeof config === 'object' && config !== null
          ? { version, config }
          : undefined
      } catch {
        return undefined
      }
    },
    write: desired => {
      mkdirSync(dataDir, { recursive: true })
      const file = openSync(`${path}.tmp`, 'w', 0o600)
      try {
        writeSync(file, JSON.stringify(desired))
        fsyncSync(file)
      } finally {
        closeSync(file)
      }
      renameSync(`${path}.tmp`, path)
    },
  }
}
