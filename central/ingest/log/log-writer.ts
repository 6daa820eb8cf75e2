import { Worker } from 'node:worker_threads'
import type { Ledger } from '@watchpost/shared/api/incidents'
import { compiledModule } from '@watchpost/shared/compiled-module'
import type { DataMessage } from './commit-messages.js'
import type { WriterReport, WriterRequest } from './writer-protocol.js'

export type WriterReady = Extract<WriterReport, { kind: 'ready' }>
export type WriterOutcome = Extract<WriterReport, { kind: 'committed' | 'failed' }>

/** The main thread's handle on the writer thread. */
export interface LogWriter {
  /** Takes the payload over: the caller must not use it again. */
  append(message: DataMessage): void
  /** Bytes handed over and not yet committed. */
  pendingBytes(): number
  saveCursor(name: string, position: number): void
  trim(applied: number, before: number): void
  ledger(agentId: string): Promise<Ledger | undefined>
  /** Resolves when all appended messages are committed and the file is closed. */
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
  let stopped: (() => void) | undefined
  const ask = (request: WriterRequest, transfer: ArrayBuffer[] = []) => worker.postMessage(request, transfer)

  const onReport = (report: WriterReport): void => {
    if (report.kind === 'committed' || report.kind === 'failed') {
      pendingBytes -= report.taken.bytes
      options.onOutcome(report)
    } else if (report.kind === 'ledger') {
      questions.get(report.requestId)?.resolve(report.ledger)
      questions.delete(report.requestId)
    } else if (report.kind === 'stopped') stopped?.()
  }

  const ready = await new Promise<WriterReady>((resolve, reject) => {
    worker.once('error', reject)
    worker.once('message', (report: WriterReport) => {
      worker.off('error', reject)
      resolve(report as WriterReady)
    })
  })
  const die = (reason: Error) => {
    for (const { reject } of questions.values()) reject(reason)
    questions.clear()
    if (stopped === undefined) options.onDeath(reason)
    else stopped()
  }
  worker.on('message', onReport)
  worker.on('error', die)
  worker.on('exit', code => {
    if (stopped === undefined) die(new Error(`the writer thread ended with code ${code}`))
  })

  return {
    ready,
    writer: {
      append: message => {
        pendingBytes += message.payload.byteLength
        // MQTT payloads are slices of a larger buffer; only a copy of its own can be handed to another thread.
        const payload = Uint8Array.from(message.payload)
        ask({ kind: 'data', ...message, payload }, [payload.buffer])
      },
      pendingBytes: () => pendingBytes,
      saveCursor: (name, position) => ask({ kind: 'cursor', name, position }),
      trim: (applied, before) => ask({ kind: 'trim', applied, before }),
      ledger: agentId =>
        new Promise((resolve, reject) => {
          questions.set(nextQuestion, { resolve, reject })
          ask({ kind: 'ledger', requestId: nextQuestion++, agentId })
        }),
      stop: () =>
        new Promise<void>(resolve => {
          stopped = resolve
          ask({ kind: 'stop' })
        }),
    },
  }
}
