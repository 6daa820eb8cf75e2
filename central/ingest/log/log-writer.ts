import { Worker } from 'node:worker_threads'
import type { Ledger } from '@watchpost/shared/api/incidents'
import { compiledModule } from '@watchpost/shared/compiled-module'
import type { DataMessage } from './commit-messages.js'
import type { WriterReport, WriterRequest } from './writer-protocol.js'

export type WriterReady = Extract<WriterReport, { kind: 'ready' }>
export type WriterOutcome = Extract<WriterReport, { kind: 'committed' | 'failed' }>

/** The main thread's handle on the writer thread. */
export interface LogWriter {
  /** Takes the payload over: the caller must not use it again. False, and nothing is taken, when the thread has ended. */
  append(message: DataMessage): boolean
  /** Bytes handed over and not yet committed. */
  pendingBytes(): number
  saveCursor(name: string, position: number): void
  trim(applied: number, before: number): void
  /** Rejects when the thread has ended, or ends before it answered. */
  ledger(agentId: string): Promise<Ledger | undefined>
  /** Resolves when all appended messages are committed and the file is closed; at once when the thread has ended. */
  stop(): Promise<void>
}

interface WriterOptions {
  readonly file: string
  readonly onOutcome: (outcome: WriterOutcome) => void
  /** The thread ended by itself; nothing can be stored any more. */
  readonly onDeath: (reason: Error) => void
}

/** Resolves when the log is open. Rejects when it cannot be opened. */
export const openLogWriter = async (options: WriterOptions): Promise<{ writer: LogWriter; ready: WriterReady }> => {
  const worker = new Worker(compiledModule(import.meta.url, 'central', './writer-worker.js'), {
    workerData: { file: options.file },
  })
  const questions = new Map<
    number,
    { resolve: (ledger: Ledger | undefined) => void; reject: (reason: Error) => void }
  >()
  let nextQuestion = 1
  let pendingBytes = 0
  let isExpectedToEnd = true
  let reason: Error | undefined
  let dead: Error | undefined
  const ask = (request: WriterRequest, transfer: ArrayBuffer[] = []) => worker.postMessage(request, transfer)

  const onReport = (report: Exclude<WriterReport, WriterReady>): void => {
    if (report.kind === 'died') reason = new Error(report.reason)
    else if (report.kind === 'ledger') {
      questions.get(report.requestId)?.resolve(report.ledger)
      questions.delete(report.requestId)
    } else {
      pendingBytes -= report.taken.bytes
      options.onOutcome(report)
    }
  }
  // Out of memory, say: then the thread cannot report any more.
  worker.on('error', error => {
    reason ??= error
  })
  const ended = new Promise<Error>(resolve =>
    worker.once('exit', code => {
      dead = reason ?? new Error(`the writer thread ended with code ${code}`)
      for (const { reject } of questions.values()) reject(dead)
      questions.clear()
      if (!isExpectedToEnd) options.onDeath(dead)
      resolve(dead)
    }),
  )
  const ready = await new Promise<WriterReady>((resolve, reject) => {
    worker.on('message', (report: WriterReport) => {
      if (report.kind === 'ready') resolve(report)
      else onReport(report)
    })
    void ended.then(reject)
  })
  isExpectedToEnd = false

  return {
    ready,
    writer: {
      append: message => {
        if (dead !== undefined) return false
        pendingBytes += message.payload.byteLength
        // MQTT payloads are slices of a larger buffer; only a copy of its own can be handed to another thread.
        const payload = Uint8Array.from(message.payload)
        ask({ kind: 'data', ...message, payload }, [payload.buffer])
        return true
      },
      pendingBytes: () => pendingBytes,
      saveCursor: (name, position) => ask({ kind: 'cursor', name, position }),
      trim: (applied, before) => ask({ kind: 'trim', applied, before }),
      ledger: agentId =>
        new Promise((resolve, reject) => {
          if (dead !== undefined) return reject(dead)
          questions.set(nextQuestion, { resolve, reject })
          ask({ kind: 'ledger', requestId: nextQuestion++, agentId })
        }),
      stop: async () => {
        isExpectedToEnd = true
        ask({ kind: 'stop' })
        await ended
      },
    },
  }
}
