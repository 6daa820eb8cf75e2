import type { AgentAddress } from '@watchpost/shared/topics'
import { delivery, topicOf } from '@watchpost/shared/topics'
import type { Committed } from './log/commit-messages.js'
import type { StreamAck } from './log/stream-store.js'

/** Rejects while the broker is away. */
export type Publish = (topic: string, payload: string, options: { qos: 0 | 1; retain: boolean }) => Promise<void>

export interface Acknowledge {
  /** What was committed before this process began. */
  restore(acks: readonly StreamAck[]): void
  committed(outcome: Pick<Committed, 'acks' | 'nacks'>): void
  /** The agent is there (again) with this epoch: tells it where central stands, also when that is nothing yet. */
  greet(address: AgentAddress, epoch: number): void
  /** After a lost connection: retained acks may be gone with the broker. */
  repeatAll(): void
}

/**
 * Tells agents what is committed. The retained `ack` of an agent is always of its newest epoch; an older epoch is
 * acknowledged too (its outbox may still be draining), but not retained. While the broker is away nothing is queued:
 * `repeatAll` says it all again afterwards.
 */
export const createAcknowledge = (publish: Publish): Acknowledge => {
  const newest = new Map<string, StreamAck>()
  const older = new Map<string, number>()

  const send = (address: AgentAddress, channel: 'ack' | 'nack', content: unknown, retain: boolean): void => {
    publish(topicOf(address, channel), JSON.stringify(content), { qos: delivery[channel].qos, retain }).catch(
      () => undefined, // said again after the reconnection, or when the agent sends again
    )
  }
  const sendAck = (ack: StreamAck): void =>
    send(ack, 'ack', { epoch: ack.epoch, seq: ack.seq }, ack === newest.get(ack.agentId))
  const note = (ack: StreamAck): void => {
    const known = newest.get(ack.agentId)
    if (known !== undefined && known.epoch > ack.epoch) older.set(`${ack.agentId}/${ack.epoch}`, ack.seq)
    else {
      if (known !== undefined && known.epoch < ack.epoch) older.set(`${ack.agentId}/${known.epoch}`, known.seq)
      newest.set(ack.agentId, ack)
    }
  }

  return {
    restore: acks => acks.forEach(note),
    committed: ({ acks, nacks }) => {
      // Nacks first: an ack beyond a refused message would let the agent forget it before it can keep it aside.
      for (const { nack, ...address } of nacks) send(address, 'nack', nack, false)
      for (const ack of acks) {
        note(ack)
        sendAck(ack)
      }
    },
    greet: (address, epoch) => {
      const known = newest.get(address.agentId)
      if (known?.epoch === epoch) return sendAck(known)
      const { siteId, agentId } = address
      sendAck({ siteId, agentId, epoch, seq: older.get(`${agentId}/${epoch}`) ?? 0 })
    },
    repeatAll: () => newest.forEach(sendAck),
  }
}
