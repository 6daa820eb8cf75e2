import { type ChildProcess, spawn as nodeSpawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { closeSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import type { FfmpegPlan } from './ffmpeg-arguments.js'

export type Spawn = typeof nodeSpawn

export interface FfmpegChild {
  readonly pid: number | undefined
  readonly stdout: Readable
  readonly stderr: Readable
  /** Resolves once, after the process is gone and both pipes are read to their end. Never rejects. */
  readonly closed: Promise<FfmpegExit>
  /** `q`, then SIGTERM, then SIGKILL: a camera that is asked politely keeps no dead session. */
  stop(): Promise<FfmpegExit>
  /** At once: for a stalled stream, whose ffmpeg ignores everything else for seconds. */
  kill(): Promise<FfmpegExit>
}

export interface FfmpegExit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  /** The process could not even be started. */
  readonly error?: Error
}

const terminateAfterMs = 1_500
const killAfterMs = 3_000

export const startFfmpeg = (path: string, plan: FfmpegPlan, spawn: Spawn = nodeSpawn): FfmpegChild => {
  const playlist = plan.playlist === undefined ? undefined : openUnnamed(plan.playlist)
  let child: ChildProcess
  try {
    child = spawn(path, [...plan.args], { stdio: ['pipe', 'pipe', 'pipe', playlist ?? 'ignore'] })
  } finally {
    if (playlist !== undefined) closeSync(playlist)
  }
  if (!child.stdout || !child.stderr) {
    // Without free descriptors the child has neither pipes nor a `close`; its `error` follows and says no more.
    child.on('error', () => {})
    throw new Error('it could not be started: too many files are open (EMFILE)')
  }
  const { stdout, stderr } = child
  // A child that died keeps its stdin for a moment; writing `q` into it must not throw.
  child.stdin?.on('error', () => {})
  stdout.on('error', () => {})

  const closed = new Promise<FfmpegExit>(resolve => {
    child.once('error', error => {
      if (child.pid === undefined) resolve({ code: null, signal: null, error })
    })
    child.once('close', (code, signal) => resolve({ code, signal }))
  })

  return {
    pid: child.pid,
    stdout,
    stderr,
    closed,
    async stop() {
      child.stdin?.write('q')
      const terminate = setTimeout(() => child.kill('SIGTERM'), terminateAfterMs)
      const kill = setTimeout(() => child.kill('SIGKILL'), killAfterMs)
      const exit = await closed
      clearTimeout(terminate)
      clearTimeout(kill)
      return exit
    },
    kill() {
      child.kill('SIGKILL')
      return closed
    },
  }
}

/** A file without a name, readable through its descriptor only: credentials reach ffmpeg by no argument list and stay on no disk. */
const openUnnamed = (text: string): number => {
  const path = join(tmpdir(), `watchpost-${randomUUID()}`)
  const descriptor = openSync(path, 'wx+', 0o600)
  rmSync(path)
  writeSync(descriptor, text)
  return descriptor
}
