import type { Outbox, OutboxRecord } from './outbox.js'
import { OutboxWriteError } from './outbox-write-error.js'
import { dataLossRecord } from './thinning.js'

export interface RecorderLog {
  info(fields: object, message: string): void
  error(fields: object, message: string): void
}

export interface RecorderOptions {
  readonly outbox: Outbox
  readonly log: RecorderLog
  /** Pause between attempts while the disk refuses. */
  readonly retryMs?: number
  /** Events and camera health kept in memory meanwhile, at most. */
  readonly maxHeld?: number
}

export interface RecorderStatus {
  /** Null while everything recorded is on disk. */
  readonly problem: { readonly message: string; readonly hint: string; readonly since: number } | null
  /** Events and camera health that wait in memory for room on the disk. */
  readonly held: number
  /** Never stored, by type; the loss is reported as an event as soon as there is room. */
  readonly dropped: Readonly<Record<OutboxRecord['type'], number>>
}

export interface Recorder {
  /** Resolves when it is on disk, or kept aside because the disk refuses; never rejects. Order is kept. */
  record(records: readonly OutboxRecord[], states?: Readonly<Record<string, unknown>>): Promise<void>
  /** One listener; something new is in the outbox. */
  onRecorded(listener: () => void): void
  status(): RecorderStatus
  /** Tries a last time to store what is held. */
  stop(): Promise<void>
}

/**
 * Stands between the cameras and the outbox for the time when the disk refuses: analysis goes on, events wait in memory
 * (bounded), observations are dropped and counted, and once there is room the events follow in order, with the loss as an event.
 */
export const createRecorder = ({ outbox, log, retryMs = 5_000, maxHeld = 1_000 }: RecorderOptions): Recorder => {
  const held: OutboxRecord[] = []
  const dropped = { 'observation.v1': 0, 'event.v1': 0, 'camera-health.v1': 0 }
  let heldStates: Record<string, unknown> = {}
  let problem: RecorderStatus['problem'] = null
  let loss: { cameraId: string; readonly startedAt: number; count: number } | undefined
  let timer: NodeJS.Timeout | undefined
  let retrying: Promise<void> | undefined
  let isStopped = false
  let onRecorded = (): void => {}

  const drop = (record: OutboxRecord): void => {
    dropped[record.type]++
    loss ??= { cameraId: record.cameraId, startedAt: Date.now(), count: 0 }
    loss.count++
  }
  const hold = (records: readonly OutboxRecord[], states: Readonly<Record<string, unknown>>): void => {
    heldStates = { ...heldStates, ...states }
    for (const record of records) {
      if (record.type === 'observation.v1' || held.length >= maxHeld) drop(record)
      else held.push(record)
    }
  }
  const lossRecords = (): readonly OutboxRecord[] => {
    if (!loss) return []
    const { cameraId, startedAt, count } = loss
    return [
      dataLossRecord({ cameraId, startedAt, phase: 'began', nowMs: startedAt, lost: [] }),
      dataLossRecord({ cameraId, startedAt, phase: 'ended', nowMs: Date.now(), lost: [], unnumbered: count }),
    ]
  }

  const fail = (error: unknown): void => {
    const hint = error instanceof OutboxWriteError ? error.hint : 'See the log of the agent.'
    if (!problem) log.error({ err: error, hint }, 'The outbox cannot store; events wait in memory')
    problem = { message: (error as Error).message, hint, since: problem?.since ?? Date.now() }
    clearTimeout(timer)
    if (!isStopped) timer = setTimeout(() => void tryAgain(), retryMs)
  }

  const retry = async (): Promise<void> => {
    const waiting = [...held]
    const states = heldStates
    const reported = loss?.count ?? 0
    heldStates = {}
    try {
      await outbox.append([...lossRecords(), ...waiting], states)
    } catch (error) {
      heldStates = { ...states, ...heldStates }
      return fail(error)
    }
    held.splice(0, waiting.length)
    const isMore = held.length > 0 || (loss?.count ?? 0) > reported
    loss = isMore && loss ? { ...loss, startedAt: Date.now(), count: loss.count - reported } : undefined
    if (isMore) return retry()
    log.info({ stored: waiting.length, lost: reported }, 'The outbox stores again')
    problem = null
    onRecorded()
  }

  /** One at a time: two would both store what is held. */
  const tryAgain = (): Promise<void> => {
    retrying ??= retry().finally(() => {
      retrying = undefined
    })
    return retrying
  }

  return {
    async record(records, states = {}) {
      if (problem) return hold(records, states)
      try {
        await outbox.append(records, states)
        onRecorded()
      } catch (error) {
        hold(records, states)
        fail(error)
      }
    },
    onRecorded(listener) {
      onRecorded = listener
    },
    status: () => ({ problem, held: held.length, dropped: { ...dropped } }),
    async stop() {
      isStopped = true
      clearTimeout(timer)
      await retrying
      if (problem) await tryAgain()
    },
  }
}
