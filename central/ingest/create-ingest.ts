import type { AgentAddress, ParsedTopic } from '@watchpost/shared/topics'
import { parseTopic } from '@watchpost/shared/topics'
import type { Database } from 'better-sqlite3'
import type { Logger } from 'pino'
import type { Registry as MetricsRegister } from 'prom-client'
import { createAcknowledge, type Publish } from './acknowledge.js'
import type { Ingest } from './ingest.js'
import { createIngestMetrics } from './ingest-metrics.js'
import { type LogWriter, openLogWriter, type WriterOutcome } from './log/log-writer.js'
import { openLogReader } from './log/open-log.js'
import { createReadRecords, type ReadRecords } from './log/read-records.js'
import { createConsumers } from './run-consumers.js'

export interface IngestOptions {
  /** SQLite file of the log. */
  readonly file: string
  /** Committed records that all consumers applied are kept so long. */
  readonly keepMs: number
  readonly publish: Publish
  readonly isKnown: (address: AgentAddress) => boolean
  readonly noteUnknown: (address: AgentAddress) => void
  /** Everything that is not data: state, health, reported, replies. */
  readonly onStatus: (topic: ParsedTopic, payload: Uint8Array) => void
  readonly log: Logger
  readonly metrics: MetricsRegister
  /** The writer thread ended; the process must not go on pretending. */
  readonly onFatal: (reason: Error) => void
}

/** Beyond this the broker has to wait, so that a flood fills its disk and not our memory. */
const mostPendingBytes = 64 * 1024 * 1024
const trimEveryMs = 60_000

export const createIngest = (options: IngestOptions): Ingest => {
  const { log } = options
  let writer: LogWriter | undefined
  let readerDb: Database | undefined
  let read: ReadRecords = () => []
  let trimTimer: NodeJS.Timeout | undefined
  let storage: { readonly failingSinceMs: number; readonly reason: string } | null = null
  let resume: (() => void)[] = []

  const acknowledge = createAcknowledge(options.publish)
  const consumers = createConsumers({
    read: (after, limit, tip) => read(after, limit, tip),
    saveCursor: (name, position) => writer?.saveCursor(name, position),
    onTrouble: ({ name, lag, failing }, error) => {
      if (failing?.attempts === 1) log.error({ consumer: name, lag, err: error }, 'A consumer of the log is retried')
    },
    onRecovered: name => log.info({ consumer: name }, 'A consumer of the log goes on'),
  })
  const metrics = createIngestMetrics(options.metrics, {
    pendingBytes: () => writer?.pendingBytes() ?? 0,
    consumers: () => consumers.status(),
  })

  const onOutcome = (outcome: WriterOutcome): void => {
    if (outcome.kind === 'committed') {
      acknowledge.committed(outcome)
      metrics.counted(outcome.counts)
      metrics.acknowledged(Date.now() - outcome.taken.oldestReceivedAt)
      consumers.advance(outcome.tip)
      if (storage !== null) log.info('The log can be written again')
      storage = null
    } else {
      metrics.dropped('storage-failed', outcome.taken.messages)
      if (storage === null)
        log.error(
          { file: options.file, code: outcome.code, reason: outcome.reason, hint: hintFor(outcome.code) },
          'The log cannot be written; agents keep their messages',
        )
      storage ??= { failingSinceMs: Date.now(), reason: `${outcome.reason}. ${hintFor(outcome.code)}` }
    }
    if ((writer?.pendingBytes() ?? 0) < mostPendingBytes / 2) takeMore()
  }
  const takeMore = (): void => {
    for (const go of resume) go()
    resume = []
  }
  const onDeath = (reason: Error): void => {
    storage = { failingSinceMs: Date.now(), reason: `the writer thread ended: ${reason.message}` }
    takeMore()
    options.onFatal(reason)
  }

  const takeData = (address: AgentAddress, payload: Uint8Array): void | Promise<void> => {
    if (!options.isKnown(address)) {
      metrics.dropped('unknown-agent')
      options.noteUnknown(address)
      return undefined
    }
    if (writer === undefined) return metrics.dropped('after-stop')
    const { siteId, agentId } = address
    const isTaken = writer.append({ siteId, agentId, receivedAt: Date.now(), payload })
    if (!isTaken) return metrics.dropped('storage-failed')
    if (writer.pendingBytes() > mostPendingBytes) return new Promise<void>(resolve => resume.push(resolve))
  }

  return {
    take: (topic, payload) => {
      const parsed = parseTopic(topic)
      if (parsed === undefined) return metrics.dropped('foreign-topic')
      if (parsed.channel === 'data') return takeData(parsed, payload)
      return options.onStatus(parsed, payload)
    },
    greet: (address, epoch) => acknowledge.greet(address, epoch),
    repeatAcks: () => acknowledge.repeatAll(),
    addConsumer: (name, consumer) => consumers.add(name, consumer),
    consumers: () => consumers.status(),
    storage: () => storage,
    ledger: async agentId => writer?.ledger(agentId),
    start: async () => {
      const opened = await openLogWriter({ file: options.file, onOutcome, onDeath })
      writer = opened.writer
      readerDb = openLogReader(options.file)
      read = createReadRecords(readerDb)
      acknowledge.restore(opened.ready.acks)
      consumers.start(opened.ready.cursors, opened.ready.tip)
      trimTimer = setInterval(() => writer?.trim(consumers.appliedByAll(), Date.now() - options.keepMs), trimEveryMs)
    },
    stop: async () => {
      clearInterval(trimTimer)
      await consumers.stop()
      const closing = writer
      writer = undefined
      // Before the writer: the last to close folds the write-ahead log into the file, and readers may not.
      readerDb?.close()
      await closing?.stop()
    },
  }
}

const hintFor = (code: string): string => {
  if (code === 'SQLITE_FULL') return 'The disk is full: free space on the volume of dataDir.'
  if (code.startsWith('SQLITE_IOERR')) return 'The disk reports errors: check it and the volume of dataDir.'
  if (code.startsWith('SQLITE_READONLY')) return 'dataDir must be writable by this user.'
  return 'See the reason; messages are kept by the agents meanwhile.'
}
