import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import type { Envelope } from '@watchpost/shared/contracts/envelope'
import type { Problem } from '@watchpost/shared/contracts/primitives'
import Database from 'better-sqlite3'
import { createGroupCommit } from '../group-commit.js'
import type { Outbox, OutboxStatus } from '../outbox.js'
import { isDiskFull, OutboxWriteError } from '../outbox-write-error.js'
import type { AppendGroup, SqliteStoreOptions, StoredDeadLetter } from './sqlite-store.js'
import type { StoreCall, StoreReply } from './sqlite-worker.js'

export interface SqliteOutboxOptions extends SqliteStoreOptions {
  readonly log?: Record<'info' | 'warn' | 'error', (fields: object, message: string) => void>
  /** Ends the waiting for room on a full disk; the opening rejects then. */
  readonly signal?: AbortSignal
  /** Pause between attempts to open while the disk is full. */
  readonly retryMs?: number
}

/** Concurrent appends that share one transaction, at most: keeps a single fsync's wait bounded. */
const maxGroup = 500

/**
 * Durable outbox in one SQLite file, worked by a thread of its own. A second agent on the same file is refused. While the disk is full it
 * waits for room: SQLite cannot even read then, and starting again would help nobody.
 */
export const openSqliteOutbox = async (wanted: SqliteOutboxOptions): Promise<Outbox> => {
  const { log, signal, retryMs = 5_000, ...options } = wanted
  for (let attempt = 1; ; attempt++) {
    try {
      const outbox = await open(options, log)
      if (attempt > 1) log?.info({ attempt }, 'There is room on the disk again; the outbox is open')
      return outbox
    } catch (error) {
      if (!(error instanceof OutboxWriteError) || error.reason !== 'disk-full') throw error
      if (attempt === 1) log?.error({ err: error, hint: error.hint }, 'The agent waits for room on the disk to start')
      await sleep(retryMs, undefined, { ...(signal ? { signal } : {}) })
    }
  }
}

const open = async (options: SqliteStoreOptions, log: SqliteOutboxOptions['log']): Promise<Outbox> => {
  const { lock, thread } = await openThread(options)
  const writing = async <T>(method: StoreCall['method'], ...args: readonly unknown[]): Promise<T> => {
    try {
      return await thread.call<T>(method, ...args)
    } catch (error) {
      throw new OutboxWriteError(options.file, codeOf(error), { cause: error })
    }
  }
  const append = createGroupCommit<AppendGroup>(groups => writing('append', groups), maxGroup)
  let closing: Promise<void> | undefined

  return {
    append: (records, states = {}) => append({ records, states }),
    readAfter: async (seq, limit) =>
      (await thread.call<readonly string[]>('readAfter', seq, limit)).map(text => JSON.parse(text) as Envelope),
    acknowledge: async (epoch, seq) => {
      const renumbered = await writing<number>('acknowledge', epoch, seq)
      if (renumbered > 0)
        log?.warn(
          { ackedSeq: seq, renumbered },
          'Central acknowledged more than this outbox ever sent: it is an old copy; unsent messages were renumbered',
        )
    },
    reject: (epoch, seq, problem) => writing('reject', epoch, seq, problem),
    deadLetters: async limit =>
      (await thread.call<readonly StoredDeadLetter[]>('deadLetters', limit)).map(parseDeadLetter),
    status: () => thread.call<OutboxStatus>('status'),
    states: async () => parseStates(await thread.call<Readonly<Record<string, string>>>('states')),
    close: () => {
      closing ??= thread.call<void>('close').finally(async () => {
        await thread.terminate()
        lock.close()
      })
      return closing
    },
  }
}

export const parseDeadLetter = ({ envelope, problem, rejected_at }: StoredDeadLetter) => ({
  envelope: JSON.parse(envelope) as Envelope,
  problem: JSON.parse(problem) as Problem,
  rejectedAt: new Date(rejected_at).toISOString(),
})

const parseStates = (states: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(states).map(([ruleId, state]) => [ruleId, JSON.parse(state) as unknown]))

/**
 * Two agents on one outbox would number the same messages twice. The lock is a transaction on a file beside it: the
 * kernel lets go of it even after kill -9, which a PID file does not, and readers of the outbox are not disturbed.
 */
const lockAgainstSecondAgent = (file: string): Database.Database => {
  const lock = new Database(`${file}.lock`, { timeout: 0 })
  try {
    lock.exec('begin exclusive')
    return lock
  } catch (error) {
    lock.close()
    if (!codeOf(error).startsWith('SQLITE_BUSY')) throw error
    throw new OutboxInUseError(file, { cause: error })
  }
}

class OutboxInUseError extends Error {
  override readonly name = 'OutboxInUseError'
  constructor(file: string, options: ErrorOptions) {
    super(`Outbox ${file} is in use by another agent. Stop it, or give this one a dataDir of its own.`, options)
  }
}

const openThread = async (options: SqliteStoreOptions) => {
  let lock: Database.Database | undefined
  let thread: ReturnType<typeof startThread> | undefined
  try {
    mkdirSync(dirname(options.file), { recursive: true })
    lock = lockAgainstSecondAgent(options.file)
    thread = startThread(options)
    await thread.opened
    return { lock, thread }
  } catch (error) {
    lock?.close()
    await thread?.terminate()
    if (error instanceof OutboxInUseError) throw error
    const code = codeOf(error)
    if (isDiskFull(code)) throw new OutboxWriteError(options.file, code, { cause: error })
    const hint = refusedCodes.test(code) ? '. Check the rights of the agent on dataDir, and the disk.' : ''
    throw new Error(`Outbox ${options.file} cannot be opened: ${(error as Error).message}${hint}`, { cause: error })
  }
}

const codeOf = (error: unknown): string => String((error as { code?: unknown }).code ?? 'UNKNOWN')
const refusedCodes = /^(?:SQLITE_(?:READONLY|CANTOPEN|PERM|IOERR)|E(?:ACCES|PERM|ROFS))/

const startThread = (options: SqliteStoreOptions) => {
  const worker = new Worker(compiled('./sqlite-worker.js'), { workerData: options })
  const waiting = new Map<number, { resolve(result: unknown): void; reject(error: Error): void }>()
  let lastCallId = 0
  const expect = <T>(callId: number) =>
    new Promise<T>((resolve, reject) => {
      waiting.set(callId, { resolve: result => resolve(result as T), reject })
    })
  const opened = expect<void>(lastCallId)
  worker.on('message', (reply: StoreReply) => {
    const call = waiting.get(reply.callId)
    waiting.delete(reply.callId)
    if ('failure' in reply) call?.reject(Object.assign(new Error(reply.failure.message), { code: reply.failure.code }))
    else call?.resolve(reply.result)
  })
  let end: Error | undefined
  const failAll = (error: Error) => {
    end ??= error
    for (const { reject } of waiting.values()) reject(error)
    waiting.clear()
  }
  worker.on('error', error => failAll(error as Error))
  worker.on('exit', () => failAll(new Error('The outbox is closed')))
  return {
    opened,
    call: <T>(method: StoreCall['method'], ...args: readonly unknown[]): Promise<T> => {
      if (end) return Promise.reject(end)
      const callId = ++lastCallId
      const result = expect<T>(callId)
      worker.postMessage({ callId, method, args } satisfies StoreCall)
      return result
    },
    terminate: () => worker.terminate(),
  }
}

/** A thread runs compiled code, also when the tests run this file from its source. */
const compiled = (path: string): URL => {
  const url = new URL(path, import.meta.url)
  return import.meta.url.endsWith('.ts') ? new URL(url.href.replace('/edge/outbox/', '/edge/dist/outbox/')) : url
}
