import { Value } from '@sinclair/typebox/value'
import type { Ack, Nack } from '@watchpost/shared/contracts/delivery'
import { Batch, type Envelope } from '@watchpost/shared/contracts/envelope'
import { type AgentAddress, commandTopic, replyTopic, topicOf } from '@watchpost/shared/topics'
import { connectAsync, type MqttClient } from 'mqtt'

export interface ScriptedCentral {
  readonly client: MqttClient
  /** Seqs in the order they came, duplicates included. */
  readonly received: number[]
  readonly batches: Batch[]
  readonly states: { status: string; epoch: number; at: string }[]
  readonly reported: unknown[]
  readonly replies: unknown[]
  readonly health: unknown[]
  /** Acknowledged whatever arrives, as central would: contiguous from the last ack, holes explained by afterSeq and oldestSeq. */
  acks: boolean
  /** An agent that comes online is told where central stands, as central does it. */
  greets: boolean
  /** Seqs to be refused with a nack. */
  readonly poison: Set<number>
  readonly committed: Map<number, Envelope>
  ackedSeq(): number
  publish(channel: 'ack' | 'nack' | 'desired', content: unknown): Promise<void>
  command(name: string, content: unknown): Promise<void>
  close(): Promise<void>
}

/** The part of central that talks MQTT, as far as the contract goes. */
export const connectCentral = async (port: number, address: AgentAddress): Promise<ScriptedCentral> => {
  const client = await connectAsync(`mqtt://127.0.0.1:${port}`, {
    clientId: 'central',
    clean: false,
    reconnectPeriod: 100,
  })
  let ackedSeq = 0
  /** Of every epoch the highest ack that was said, also by a test. */
  const said = new Map<number, number>()
  const central: ScriptedCentral = {
    client,
    received: [],
    batches: [],
    states: [],
    reported: [],
    replies: [],
    health: [],
    acks: true,
    greets: true,
    poison: new Set(),
    committed: new Map(),
    ackedSeq: () => ackedSeq,
    publish: async (channel, content) => {
      if (channel === 'ack') {
        const { epoch, seq } = content as Ack
        said.set(epoch, Math.max(said.get(epoch) ?? 0, seq))
      }
      await client.publishAsync(topicOf(address, channel), JSON.stringify(content), {
        qos: 1,
        retain: channel !== 'nack',
      })
    },
    command: async (name, content) => {
      await client.publishAsync(commandTopic(address, name), JSON.stringify(content), { qos: 1 })
    },
    close: () => client.endAsync(true),
  }
  client.on('message', (topic, payload) => {
    const content: unknown = JSON.parse(payload.toString())
    if (topic === topicOf(address, 'state')) {
      const state = content as (typeof central.states)[number]
      central.states.push(state)
      const greeting = { epoch: state.epoch, seq: said.get(state.epoch) ?? 0 } satisfies Ack
      if (central.greets && state.status === 'online') void central.publish('ack', greeting)
    }
    if (topic === topicOf(address, 'reported')) central.reported.push(content)
    if (topic === topicOf(address, 'health')) central.health.push(content)
    if (topic.endsWith('/reply')) central.replies.push(content)
    if (topic === topicOf(address, 'data')) void take(content)
  })
  const take = async (content: unknown): Promise<void> => {
    if (!Value.Check(Batch, content)) throw new Error(`not a batch: ${JSON.stringify(content).slice(0, 200)}`)
    central.batches.push(content)
    for (const envelope of content.envelopes as Envelope[]) {
      central.received.push(envelope.seq)
      if (central.poison.has(envelope.seq)) {
        const problem = { type: 'about:blank', title: 'refused', status: 422 }
        await central.publish('nack', { epoch: content.epoch, seq: envelope.seq, problem } satisfies Nack)
      } else central.committed.set(envelope.seq, envelope)
    }
    if (!central.acks) return
    const last = (content.envelopes as Envelope[]).at(-1)!.seq
    if ((content.afterSeq ?? 0) <= ackedSeq || content.oldestSeq > ackedSeq) ackedSeq = Math.max(ackedSeq, last)
    await central.publish('ack', { epoch: content.epoch, seq: ackedSeq } satisfies Ack)
  }
  for (const channel of ['state', 'reported', 'health', 'data'] as const)
    await client.subscribeAsync(topicOf(address, channel), { qos: 1 })
  await client.subscribeAsync(replyTopic(address, '+'), { qos: 1 })
  return central
}
