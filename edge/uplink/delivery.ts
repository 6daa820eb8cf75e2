import type { Ack, Nack } from '@watchpost/shared/contracts/delivery'
import type { Outbox } from '../outbox/outbox.js'
import { cutBatch, maxBatchEnvelopes } from './batch.js'
import type { UplinkLog } from './uplink-log.js'

export interface DeliveryOptions {
  readonly outbox: Outbox
  /** Hands one batch to the broker. A rejection means the connection is gone; `disconnected` follows. */
  readonly publish: (payload: string) => Promise<void>
  readonly log: UplinkLog
  /** Batches sent and not yet acknowledged by central, at most. */
  readonly window?: number
  /** No progress of central's ack for so long: everything since it is sent again. Doubles up to 8 times this. */
  readonly ackTimeoutMs?: number
}

export interface DeliveryStatus {
  readonly inFlightBatches: number
  readonly sentEnvelopes: number
  /** How often central's ack stayed away and sending began again after it. */
  readonly rewinds: number
}

export interface Delivery {
  /** Sending begins after what central is known to have: in a new run not before its first ack, or 8 times `ackTimeoutMs` without one. */
  connected(): Promise<void>
  disconnected(): void
  /** Something was appended. Cheap; call it after every append. */
  wake(): void
  acknowledged(ack: Ack): Promise<void>
  refused(nack: Nack): Promise<void>
  status(): DeliveryStatus
  stop(): void
}

const longestTimeoutFactor = 8
/** The broker hands over the acks of an earlier life one behind the other, and the newest last. */
const ackPauseMs = 500

/**
 * Sends the outbox in seq order, a bounded number of batches ahead of central's ack. Lost batches and lost acks look the
 * same, and the answer is the same: send again after the last ack; central recognises what it has. Whether the outbox is an older copy
 * of itself only the first ack of a run tells, so nothing is sent before it: central would take new messages for those it has had.
 */
export const createDelivery = (options: DeliveryOptions): Delivery => {
  const { outbox, publish, log, window = 8, ackTimeoutMs = 10_000 } = options
  const inFlight: { readonly lastSeq: number }[] = []
  let isOnline = false
  let hasHeard = false
  let hearing: NodeJS.Timeout | undefined
  /** By `performance.now()`; undefined: not connected yet. */
  let heardBy: number | undefined
  let isPumping = false
  let isWoken = false
  let ackedSeq = 0
  let cursor = 0
  let timeoutFactor = 1
  let timer: NodeJS.Timeout | undefined
  let sentEnvelopes = 0
  let rewinds = 0

  const rewind = (): void => {
    inFlight.length = 0
    cursor = ackedSeq
    clearTimeout(timer)
    timer = undefined
  }

  const expectProgress = (): void => {
    clearTimeout(timer)
    timer = undefined
    if (inFlight.length > 0) timer = setTimeout(noProgress, ackTimeoutMs * timeoutFactor)
  }

  const noProgress = (): void => {
    rewinds++
    const waited = { ackedSeq, sentUpTo: cursor, waitedMs: ackTimeoutMs * timeoutFactor }
    // Once per silence of central, not once per attempt.
    log[timeoutFactor === 1 ? 'warn' : 'debug'](
      waited,
      'Central acknowledges nothing; sending again after its last ack',
    )
    timeoutFactor = Math.min(longestTimeoutFactor, timeoutFactor * 2)
    rewind()
    wake()
  }

  const sendNext = async (): Promise<boolean> => {
    const afterSeq = cursor
    const envelopes = await outbox.readAfter(afterSeq, maxBatchEnvelopes)
    const { epoch, oldestSeq } = await outbox.status()
    // The cursor moved while we read: what was read may be central's already, or too far ahead.
    if (!isOnline || cursor !== afterSeq) return isOnline
    const first = envelopes[0]
    if (!first) return false
    const batch = cutBatch(envelopes, { epoch, oldestSeq: oldestSeq ?? first.seq, afterSeq })
    cursor = batch.lastSeq
    inFlight.push({ lastSeq: batch.lastSeq })
    sentEnvelopes += batch.count
    if (inFlight.length === 1) expectProgress()
    // Not awaited: the window bounds what is under way, the broker's word is not needed.
    publish(batch.payload).catch(error =>
      log.debug({ err: error, lastSeq: batch.lastSeq }, 'A batch was not handed over'),
    )
    return true
  }

  const pump = async (): Promise<void> => {
    if (isPumping) return
    isPumping = true
    try {
      do {
        isWoken = false
        while (isOnline && hasHeard && inFlight.length < window && (await sendNext()));
      } while (isWoken)
    } catch (error) {
      log.error({ err: error }, 'The outbox cannot be read; sending goes on with the next message')
    }
    isPumping = false
  }

  const wake = (): void => {
    isWoken = true
    void pump()
  }

  /** Sending begins after so long, unless central speaks before. */
  const listen = (ms: number, onHeard: () => void = () => {}): void => {
    clearTimeout(hearing)
    hearing = setTimeout(() => {
      onHeard()
      hasHeard = true
      wake()
    }, ms)
  }

  return {
    async connected() {
      // The outbox knows better than we do after a start; within one run our memory may be ahead of a full disk.
      ackedSeq = Math.max(ackedSeq, (await outbox.status()).ackedSeq)
      isOnline = true
      timeoutFactor = 1
      rewind()
      wake()
      if (hasHeard) return
      // A central that greets nobody, or does not know this agent, must not keep it silent for ever, and no link that often breaks.
      const longestMs = ackTimeoutMs * longestTimeoutFactor
      heardBy ??= performance.now() + longestMs
      listen(Math.max(0, heardBy - performance.now()), () =>
        log.warn(
          { waitedMs: longestMs },
          'Central has not said what it has; sending begins without. Does its city file name this agent?',
        ),
      )
    },
    disconnected() {
      isOnline = false
      clearTimeout(hearing)
      rewind()
    },
    wake() {
      if (isOnline) wake()
    },
    async acknowledged({ epoch, seq }) {
      if (epoch !== (await outbox.status()).epoch) return
      if (seq > ackedSeq) {
        ackedSeq = seq
        cursor = Math.max(cursor, seq)
        while (inFlight.length > 0 && inFlight[0]!.lastSeq <= seq) inFlight.shift()
        timeoutFactor = 1
        expectProgress()
        // Once we have heard of central sending goes on beside this; the first ack may renumber what would be sent.
        if (hasHeard) wake()
        await outbox
          .acknowledge(epoch, seq)
          .catch(error =>
            log.error({ err: error, seq }, 'Delivered messages cannot be deleted yet; the next ack tries again'),
          )
      }
      if (!hasHeard && isOnline) listen(ackPauseMs)
    },
    async refused({ epoch, seq, problem }) {
      await outbox.reject(epoch, seq, problem)
      log.warn({ seq, problem }, 'Central refused a message; it is kept with the dead letters')
    },
    status: () => ({ inFlightBatches: inFlight.length, sentEnvelopes, rewinds }),
    stop() {
      isOnline = false
      clearTimeout(hearing)
      rewind()
    },
  }
}
