import { randomBytes } from 'node:crypto'
import type { Ack, Nack } from '@watchpost/shared/contracts/delivery'
import { type Envelope, observationEnvelopeExample } from '@watchpost/shared/contracts/envelope'
import { type AgentAddress, topicOf } from '@watchpost/shared/topics'
import mqtt from 'mqtt'

export const address: AgentAddress = { siteId: 'an-cuu', agentId: 'an-cuu-1' }

const uuid = () =>
  randomBytes(16)
    .toString('hex')
    .replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, '$1-$2-$3-$4-$5')

export const observation = (epoch: number, seq: number, change: object = {}): Envelope => ({
  ...observationEnvelopeExample,
  id: uuid(),
  epoch,
  seq,
  data: { ...observationEnvelopeExample.data, value: seq % 97 } as never,
  ...change,
})

export interface Producer {
  /** Every message it claims; the oracle holds central to each. */
  readonly claimed: readonly Envelope[]
  ackedSeq(): number
  readonly nacks: readonly Nack[]
  /** Acks as they came, also those of other epochs. */
  readonly acks: readonly Ack[]
  rewinds(): number
  done: Promise<void>
  close(): Promise<void>
}

interface ProducerOptions {
  readonly url: string
  readonly total: number
  readonly epoch?: number
  readonly batch?: number
  readonly window?: number
  readonly resendMs?: number
  readonly username?: string
  readonly password?: string
}

const longestWaitMs = 1_000

/** An agent with a perfect memory: sends, and sends again after central's last ack, until central has everything. */
export const createProducer = (options: ProducerOptions): Producer => {
  const { url, total, epoch = 1_793_070_000_000, batch = 50, window = 8, resendMs = 700 } = options
  const claimed = Array.from({ length: total }, (_, index) => observation(epoch, index + 1))
  const [acks, nacks]: [Ack[], Nack[]] = [[], []]
  let acked = 0
  let cursor = 0
  let rewinds = 0
  let finish = (): void => undefined
  const done = new Promise<void>(resolve => {
    finish = resolve
  })
  const client = mqtt.connect(url, {
    clientId: address.agentId,
    clean: true,
    protocolVersion: 4,
    reconnectPeriod: 100,
    resubscribe: false,
    ...(options.username === undefined ? {} : { username: options.username, password: options.password }),
  })
  const send = (): void => {
    while (client.connected && cursor < total && cursor - acked < window * batch) {
      const envelopes = claimed.slice(cursor, cursor + batch)
      const payload = JSON.stringify({ epoch, oldestSeq: Math.min(acked + 1, total), envelopes })
      cursor += envelopes.length
      client.publish(topicOf(address, 'data'), payload, { qos: 1 }, () => undefined)
    }
  }
  let lastProgress = 0
  // Every time in vain it waits twice as long: resent at one pace, a busy machine gets more doubles than it can take in, for ever.
  let [silent, patience] = [0, 1]
  const timer = setInterval(() => {
    if (acked === lastProgress && acked < total) silent++
    else [silent, patience] = [0, 1]
    if (silent >= patience) {
      cursor = acked
      rewinds++
      silent = 0
      patience = Math.min(2 * patience, Math.max(1, Math.floor(longestWaitMs / resendMs)))
    }
    lastProgress = acked
    send()
  }, resendMs)
  client.on('error', () => undefined)
  client.on('connect', () => {
    client.subscribe([topicOf(address, 'ack'), topicOf(address, 'nack')], { qos: 1 }, () => {
      client.publish(
        topicOf(address, 'state'),
        JSON.stringify({ status: 'online', epoch, version: '0.1.0', at: new Date().toISOString() }),
        { qos: 1, retain: true },
        () => undefined,
      )
      cursor = acked
      send()
    })
  })
  client.on('message', (topic, payload) => {
    const content = JSON.parse(payload.toString())
    if (topic.endsWith('/nack')) nacks.push(content)
    else {
      acks.push(content)
      if (content.epoch === epoch) acked = Math.max(acked, content.seq)
      if (acked >= total) finish()
      send()
    }
  })
  return {
    claimed,
    acks,
    nacks,
    done,
    ackedSeq: () => acked,
    rewinds: () => rewinds,
    close: async () => {
      clearInterval(timer)
      await client.endAsync(true)
    },
  }
}
