import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

export interface ProcessSpec {
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

export interface Supervisor {
  /**
   * Starts processes and keeps them running, as systemd's `Restart=always` would. Output goes to `{logDir}/{name}.log`.
   * Processes of one call are ended together. Does nothing after `stop`.
   */
  keep(...specs: readonly ProcessSpec[]): void
  pids(): Readonly<Record<string, number>>
  /** SIGTERM in reverse order of start, SIGKILL after a bound; resolves when all are gone. */
  stop(): Promise<void>
}

const restartDelayMs = 1000
const termBoundMs = 12_000

interface Kept {
  readonly spec: ProcessSpec
  child: ChildProcess
  exited: Promise<void>
}

export const createSupervisor = (options: {
  readonly logDir: string
  readonly onExit: (name: string, reason: string) => void
}): Supervisor => {
  const groups: Kept[][] = []
  let stopping = false

  const launch = (spec: ProcessSpec): Pick<Kept, 'child' | 'exited'> => {
    const log = openSync(join(options.logDir, `${spec.name}.log`), 'a')
    const child = spawn(spec.command, [...spec.args], {
      // Own process group: Ctrl-C reaches the demo alone, which then stops its children in order.
      detached: true,
      stdio: ['ignore', log, log],
      env: { ...process.env, ...spec.env },
    })
    closeSync(log)
    const exited = new Promise<void>(resolve => {
      child.once('error', error => {
        options.onExit(spec.name, `could not start: ${error.message}`)
        resolve()
      })
      child.once('exit', (code, signal) => {
        if (!stopping) options.onExit(spec.name, signal === null ? `exit code ${code}` : signal)
        resolve()
      })
    })
    return { child, exited }
  }

  const restartWhenGone = async (entry: Kept): Promise<void> => {
    while (!stopping) {
      await entry.exited
      if (stopping) return
      await sleep(restartDelayMs)
      if (stopping) return
      Object.assign(entry, launch(entry.spec))
    }
  }

  const end = async ({ child, exited }: Kept): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return
    child.kill('SIGTERM')
    const bound = new AbortController()
    const late = sleep(termBoundMs, 'late', { signal: bound.signal }).catch(() => 'gone')
    if ((await Promise.race([exited.then(() => 'gone'), late])) === 'late') child.kill('SIGKILL')
    bound.abort()
    await exited
  }

  return {
    keep(...specs) {
      if (stopping) return
      const group = specs.map(spec => ({ spec, ...launch(spec) }))
      groups.push(group)
      for (const entry of group) void restartWhenGone(entry)
    },
    pids: () => Object.fromEntries(groups.flat().map(({ spec, child }) => [spec.name, child.pid ?? 0])),
    async stop() {
      stopping = true
      for (const group of [...groups].reverse()) await Promise.all(group.map(end))
    },
  }
}
