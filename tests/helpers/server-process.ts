import { type ChildProcess, spawn } from 'node:child_process'

/** A busy machine takes that long to start a Node process that loads all of central. */
const longestStartMs = 180_000

export interface ServerProcess {
  readonly pid: number
  stop(signal?: NodeJS.Signals): Promise<void>
}

/** Starts a real server and waits until `isReady` says so; its last output is in the error when it never is. */
export const startServer = async (
  command: string,
  parameters: readonly string[],
  isReady: () => Promise<boolean>,
): Promise<ServerProcess> => {
  const child: ChildProcess = spawn(command, parameters, { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  const keep = (chunk: Buffer) => {
    output = (output + chunk.toString()).slice(-2000)
  }
  child.stdout?.on('data', keep)
  child.stderr?.on('data', keep)
  let failure: Error | undefined
  child.once('error', error => {
    failure = error
  })
  const ended = new Promise<void>(resolve => child.once('exit', () => resolve()))
  const until = Date.now() + longestStartMs
  while (!(await isReady().catch(() => false))) {
    if (failure || child.exitCode !== null) throw failure ?? new Error(`${command} ended: ${output}`)
    if (Date.now() > until) {
      child.kill('SIGKILL')
      throw new Error(`${command} did not get ready: ${output}`)
    }
    await new Promise(resolve => setTimeout(resolve, 50))
  }
  return {
    pid: child.pid!,
    stop: async (signal = 'SIGKILL') => {
      child.kill(signal)
      await ended
    },
  }
}

/** Waits until something is so, and says what was not when it never is. */
export const until = async (
  what: string,
  isSo: () => boolean | Promise<boolean>,
  timeoutMs = 60_000,
): Promise<void> => {
  const end = Date.now() + timeoutMs
  while (!(await isSo())) {
    if (Date.now() > end) throw new Error(`never: ${what}`)
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}
