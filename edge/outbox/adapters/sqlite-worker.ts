import { parentPort, workerData } from 'node:worker_threads'
import { openSqliteStore, type SqliteStore, type SqliteStoreOptions } from './sqlite-store.js'

/** What the factory asks of the thread: one method of the store with its arguments. */
export interface StoreCall {
  readonly callId: number
  readonly method: keyof SqliteStore
  readonly args: readonly unknown[]
}

export type StoreReply =
  | { readonly callId: number; readonly result: unknown }
  | { readonly callId: number; readonly failure: { readonly message: string; readonly code: string } }

/** The outbox's own thread: SQLite blocks for as long as the disk takes (60-320 ms at worst), the event loop must not. */
const failureOf = (callId: number, error: unknown): StoreReply => ({
  callId,
  failure: {
    message: error instanceof Error ? error.message : String(error),
    code: (error as { code?: string }).code ?? 'UNKNOWN',
  },
})

const openCallId = 0
const port = parentPort!
try {
  const store = openSqliteStore(workerData as SqliteStoreOptions)
  port.on('message', ({ callId, method, args }: StoreCall) => {
    try {
      const call = store[method] as (...args: readonly unknown[]) => unknown
      port.postMessage({ callId, result: call(...args) } satisfies StoreReply)
    } catch (error) {
      port.postMessage(failureOf(callId, error))
    }
    if (method === 'close') port.close()
  })
  port.postMessage({ callId: openCallId, result: undefined } satisfies StoreReply)
} catch (error) {
  port.postMessage(failureOf(openCallId, error))
}
