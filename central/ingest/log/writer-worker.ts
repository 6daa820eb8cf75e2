import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import { createCommitMessages, type DataMessage } from './commit-messages.js'
import { lockLog } from './lock-log.js'
import { openLog } from './open-log.js'
import { createStreamStore } from './stream-store.js'
import { createTrimLog } from './trim-log.js'
import type { Taken, WriterReport, WriterRequest } from './writer-protocol.js'

/**
 * The one writer of the log, in a thread of its own because SQLite is synchronous and a commit waits for the disk.
 * Group commit without a timer: while one commit runs the port fills, and the next takes all of that, up to a bound.
 * So a single message waits for nobody, and a flood costs one fsync per thousands of messages.
 */
const largestGroupBytes = 1024 * 1024

const port = parentPort!
const report = (message: WriterReport): void => port.postMessage(message)
// SQLite's errors lose their words on the way to another thread, so the words are sent.
process.on('uncaughtException', error => {
  report({ kind: 'died', reason: error.message })
  process.exit(1)
})
const { file } = workerData as { file: string }
mkdirSync(dirname(file), { recursive: true })
const lock = lockLog(file)
const db = openLog(file)
const streams = createStreamStore(db)
const commit = createCommitMessages(db, streams)
const trim = createTrimLog(db)
const saveCursor = db.prepare(
  'INSERT INTO consumer (name, position) VALUES (?, ?) ON CONFLICT DO UPDATE SET position = excluded.position',
)

const commitGroup = (group: readonly DataMessage[]): void => {
  if (group.length === 0) return
  const taken: Taken = {
    messages: group.length,
    bytes: group.reduce((sum, message) => sum + message.payload.byteLength, 0),
    oldestReceivedAt: group[0]!.receivedAt,
  }
  try {
    report({ kind: 'committed', taken, ...commit(group) })
  } catch (error) {
    const { code, message } = error as Error & { code?: string }
    report({ kind: 'failed', taken, code: code ?? 'UNKNOWN', reason: message })
  }
}

/** Cursors and trimming may fail (full disk) without harm: both are done again later. */
const bestEffort = (work: () => void): void => {
  try {
    work()
  } catch (error) {
    process.emitWarning(`central log: ${(error as Error).message}; it is tried again later`)
  }
}

const handle = (request: Exclude<WriterRequest, { kind: 'data' }>): void => {
  if (request.kind === 'cursor') bestEffort(() => saveCursor.run(request.name, request.position))
  else if (request.kind === 'trim')
    bestEffort(() => {
      // One step per turn; the rest queues behind messages that came meanwhile.
      if (trim(request.applied, request.before).more) setImmediate(handle, request)
    })
  else if (request.kind === 'ledger')
    report({ kind: 'ledger', requestId: request.requestId, ledger: streams.ledgerOf(request.agentId) })
  else {
    db.close()
    lock.release()
    port.close()
  }
}

/** Takes what lies in the port, in order: runs of data as groups, everything else between them. */
const drain = (first: WriterRequest): void => {
  let group: DataMessage[] = []
  let groupBytes = 0
  const flush = () => {
    commitGroup(group)
    group = []
    groupBytes = 0
  }
  let request: WriterRequest | undefined = first
  while (request !== undefined) {
    if (request.kind === 'data') {
      group.push(request)
      groupBytes += request.payload.byteLength
      if (groupBytes >= largestGroupBytes) flush()
    } else if (request.kind === 'cursor') handle(request)
    else {
      flush()
      handle(request)
      if (request.kind === 'stop') return
    }
    request = receiveMessageOnPort(port)?.message
  }
  flush()
}

port.on('message', drain)
const cursors = db.prepare<[], { name: string; position: number }>('SELECT name, position FROM consumer').all()
report({
  kind: 'ready',
  tip: Number(db.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'log'").pluck().get() ?? 0),
  cursors: Object.fromEntries(cursors.map(({ name, position }) => [name, position])),
  acks: streams.acks(),
})
