import { setTimeout as sleep } from 'node:timers/promises'
import type { LogConsumer } from './committed-record.js'
import type { ConsumerStatus } from './ingest.js'
import type { ReadRecords } from './log/read-records.js'

interface ConsumersOptions {
  readonly read: ReadRecords
  readonly saveCursor: (name: string, position: number) => void
  readonly onTrouble: (status: ConsumerStatus, error: unknown) => void
  readonly onRecovered: (name: string) => void
  /** First wait after a rejection; doubles up to `longestWaitMs`. */
  readonly firstWaitMs?: number
  readonly longestWaitMs?: number
  readonly runLength?: number
}

/** Each consumer walks the log at its own pace: a slow or failing one holds up neither the others nor the acks. */
export interface Consumers {
  add(name: string, consumer: LogConsumer): void
  start(cursors: Readonly<Record<string, number>>, tip: number): void
  /** The log has grown up to here. */
  advance(tip: number): void
  status(): readonly ConsumerStatus[]
  /** The position every consumer has applied. */
  appliedByAll(): number
  /** Resolves when the runs being applied are done; what follows comes after the next start. */
  stop(): Promise<void>
}

interface Walker {
  readonly name: string
  readonly consumer: LogConsumer
  position: number
  failing: ConsumerStatus['failing']
  wake: () => void
  done: Promise<void>
}

export const createConsumers = (options: ConsumersOptions): Consumers => {
  const { firstWaitMs = 100, longestWaitMs = 30_000, runLength = 500 } = options
  const walkers: Walker[] = []
  const stopping = new AbortController()
  let tip = 0

  const statusOf = ({ name, position, failing }: Walker): ConsumerStatus => ({
    name,
    position,
    lag: Math.max(0, tip - position),
    failing,
  })

  const untilAwake = (walker: Walker): Promise<void> =>
    new Promise(resolve => {
      walker.wake = resolve
      if (tip > walker.position || stopping.signal.aborted) resolve()
    })

  const noteFailure = async (walker: Walker, error: unknown): Promise<void> => {
    const attempts = (walker.failing?.attempts ?? 0) + 1
    const reason = error instanceof Error ? error.message : String(error)
    walker.failing = { sinceMs: walker.failing?.sinceMs ?? Date.now(), attempts, reason }
    options.onTrouble(statusOf(walker), error)
    const wait = Math.min(longestWaitMs, firstWaitMs * 2 ** Math.min(attempts - 1, 20))
    await sleep(wait * (0.5 + Math.random() / 2), undefined, { signal: stopping.signal }).catch(() => undefined)
  }

  const step = async (walker: Walker): Promise<void> => {
    const records = options.read(walker.position, runLength, tip)
    const last = records.at(-1)
    // Positions may have holes (a rolled back transaction): an empty run up to the tip is done.
    const reached = records.length === runLength ? last!.position : tip
    if (last !== undefined) await walker.consumer(records)
    walker.position = reached
    options.saveCursor(walker.name, reached)
    if (walker.failing !== null) options.onRecovered(walker.name)
    walker.failing = null
  }

  const walk = async (walker: Walker): Promise<void> => {
    while (!stopping.signal.aborted) {
      if (tip <= walker.position) await untilAwake(walker)
      else await step(walker).catch(error => noteFailure(walker, error))
      // Lets sockets and timers have their turn during a long backlog.
      await new Promise(resolve => setImmediate(resolve))
    }
  }

  return {
    add: (name, consumer) => {
      walkers.push({ name, consumer, position: 0, failing: null, wake: () => undefined, done: Promise.resolve() })
    },
    start: (cursors, newest) => {
      tip = newest
      for (const walker of walkers) {
        walker.position = cursors[walker.name] ?? 0
        walker.done = walk(walker)
      }
    },
    advance: newest => {
      tip = newest
      for (const walker of walkers) walker.wake()
    },
    status: () => walkers.map(statusOf),
    appliedByAll: () => Math.min(tip, ...walkers.map(walker => walker.position)),
    stop: async () => {
      stopping.abort()
      for (const walker of walkers) walker.wake()
      await Promise.all(walkers.map(walker => walker.done))
    },
  }
}
