import type { Static } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import type { Health, State } from '@watchpost/shared/contracts/agent-status'
import { Ack, Nack } from '@watchpost/shared/contracts/delivery'
import type { ShadowReports } from '@watchpost/shared/contracts/shadow-report'
import type { Reported } from '@watchpost/shared/contracts/twin'
import {
  type AgentAddress,
  agentSubscriptions,
  type Channel,
  delivery as deliveryOf,
  parseTopic,
  replyTopic,
  topicOf,
} from '@watchpost/shared/topics'
import type { Outbox } from '../outbox/outbox.js'
import { type CommandHandler, createCommandDesk } from './command-desk.js'
import { createDelivery, type DeliveryStatus } from './delivery.js'
import type { LinkProblem, MqttLink, MqttLinkOptions } from './mqtt-link.js'
import type { UplinkLog } from './uplink-log.js'

export interface UplinkOptions {
  readonly address: AgentAddress
  /** Of the agent's software. */
  readonly version: string
  readonly outbox: Outbox
  readonly broker: Pick<MqttLinkOptions, 'url' | 'username' | 'password' | 'caFile'>
  readonly createLink: (options: MqttLinkOptions) => MqttLink
  readonly log: UplinkLog
  readonly window?: number
  readonly ackTimeoutMs?: number
}

export interface UplinkStatus extends DeliveryStatus {
  readonly isConnected: boolean
  /** Why there is no connection; null when there is one. */
  readonly problem: LinkProblem | null
  /** Unix milliseconds of the last change of `isConnected`. */
  readonly since: number
}

export interface Uplink {
  /** One listener; central's settings as they came, not yet validated. Called again after every connection. */
  onDesired(listener: (payload: unknown) => void): void
  /** One handler; its result or error is replied to central. */
  onCommand(handler: CommandHandler): void
  /** What to publish on every connection and whenever `publishReported` is called. */
  onReport(report: () => Reported): void
  /** The same for `publishShadow`; while there is nothing to report, nothing is published on a connection. */
  onShadow(report: () => ShadowReports): void
  /** Returns at once; a broker that is away is tried again and again. */
  start(): Promise<void>
  /** Sends what is under way for a moment, says `offline` and closes. */
  stop(): Promise<void>
  /** Something was appended to the outbox. */
  wake(): void
  /** Dropped when there is no connection: the next one is five seconds away. */
  publishHealth(health: Health): void
  publishReported(): void
  publishShadow(): void
  status(): UplinkStatus
}

export const createUplink = (options: UplinkOptions): Uplink => {
  const { address, version, outbox, log } = options
  let epoch = 1
  let problem: LinkProblem | null = null
  let since = Date.now()
  let report: (() => Reported) | undefined
  let shadow: (() => ShadowReports) | undefined
  let onDesired = (_payload: unknown): void => {}
  let handleCommand: CommandHandler = async () => ({})
  // Acks and nacks are applied one after the other: an ack must not overtake the nack before it.
  let inOrder: Promise<void> = Promise.resolve()

  const state = (status: State['status']): State => ({ status, epoch, version, at: new Date().toISOString() })
  const messageOf = (channel: Channel, content: unknown) => ({
    topic: topicOf(address, channel),
    payload: typeof content === 'string' ? content : JSON.stringify(content),
    ...deliveryOf[channel],
  })
  const link = options.createLink({
    ...options.broker,
    clientId: address.agentId,
    will: () => messageOf('state', state('offline')),
    subscriptions: agentSubscriptions(address),
  })
  const delivery = createDelivery({ ...options, publish: payload => link.publish(messageOf('data', payload)) })
  const desk = createCommandDesk(request => handleCommand(request), log)

  /** Best effort: whatever is lost with the connection is published again on the next one. */
  const tell = (channel: Channel, content: unknown): void => {
    if (!link.isConnected()) return
    link.publish(messageOf(channel, content)).catch(error => log.debug({ err: error, channel }, 'Not handed over'))
  }

  link.onConnected(() => {
    log.info({ url: options.broker.url }, 'Connected to the broker')
    problem = null
    since = Date.now()
    tell('state', state('online'))
    if (report) tell('reported', report())
    if (shadow && shadow().reports.length > 0) tell('shadow', shadow())
    void delivery.connected()
  })
  link.onDisconnected(reason => {
    log.warn({ hint: reason.hint }, reason.message)
    problem = reason
    since = Date.now()
    delivery.disconnected()
  })
  link.onMessage((topic, payload) => {
    const parsed = parseTopic(topic)
    const content = parseJson(payload)
    if (!parsed || content === undefined) return log.warn({ topic }, 'A message that cannot be read is ignored')
    if (parsed.channel === 'ack') return whenValid(Ack, content, ack => delivery.acknowledged(ack))
    if (parsed.channel === 'nack') return whenValid(Nack, content, nack => delivery.refused(nack))
    if (parsed.channel === 'desired') return onDesired(content)
    if (parsed.channel === 'command') return void answer(parsed.command, content)
  })

  const whenValid = <S extends typeof Ack | typeof Nack>(
    schema: S,
    content: unknown,
    apply: (message: Static<S>) => Promise<void>,
  ): void => {
    if (!Value.Check(schema, content)) {
      log.warn({ content, kind: schema.$id }, 'A malformed message is ignored')
      return
    }
    inOrder = inOrder
      .then(() => apply(content))
      .catch(error => log.error({ err: error, kind: schema.$id }, "Central's answer cannot be applied yet"))
  }

  const answer = async (command: string, content: unknown): Promise<void> => {
    const reply = await desk(command, content)
    if (!reply) return
    const message = { topic: replyTopic(address, command), payload: JSON.stringify(reply), ...deliveryOf.reply }
    await link.publish(message).catch(error => log.warn({ err: error, command }, 'The reply to a command is lost'))
  }

  return {
    onDesired(listener) {
      onDesired = listener
    },
    onCommand(handler) {
      handleCommand = handler
    },
    onReport(reporter) {
      report = reporter
    },
    onShadow(reporter) {
      shadow = reporter
    },
    async start() {
      epoch = (await outbox.status()).epoch
      link.start()
    },
    async stop() {
      delivery.stop()
      await inOrder
      if (link.isConnected())
        await Promise.race([link.publish(messageOf('state', state('offline'))).catch(() => {}), pause(goodbyeMs)])
      await link.stop()
    },
    wake: () => delivery.wake(),
    publishHealth: health => tell('health', health),
    publishReported: () => {
      if (report) tell('reported', report())
    },
    publishShadow: () => {
      if (shadow) tell('shadow', shadow())
    },
    status: () => ({ ...delivery.status(), isConnected: link.isConnected(), problem, since }),
  }
}

const goodbyeMs = 1_000
const pause = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms).unref())

/** Undefined when it is not JSON. */
const parseJson = (payload: Buffer): unknown => {
  try {
    return JSON.parse(payload.toString('utf8'))
  } catch {
    return undefined
  }
}
