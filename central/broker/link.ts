import { setTimeout as sleep } from 'node:timers/promises'
import { centralSubscriptions, delivery, parseTopic } from '@watchpost/shared/topics'
import mqtt from 'mqtt'
import type { Logger } from 'pino'

export interface LinkOptions {
  readonly url: string
  readonly username?: string
  readonly password?: string
  readonly ca?: string
  readonly clientId: string
  readonly log: Logger
}

/** Thrown by `publish` while the broker is away; nothing was queued. */
export class NotConnectedError extends Error {
  override readonly name = 'NotConnectedError'
}

/** A promise means: hand over the next message only after it. */
export type TakeMessage = (topic: string, payload: Uint8Array) => void | Promise<void>

/** Central's connection to the broker, for as long as central runs. */
export interface Link {
  onMessage(listener: TakeMessage): void
  /** After every connection, when the subscriptions stand. */
  onConnect(listener: () => void): void
  /** Resolves when the broker has it; rejects with `NotConnectedError` at once when there is no connection. */
  publish(topic: string, payload: string, options: { qos: 0 | 1; retain: boolean }): Promise<void>
  /** Null while connected and subscribed. */
  trouble(): string | null
  /** Begins to connect; a broker that is away is waited for. */
  start(): void
  /** Waits for what is in flight, but only seconds for a broker that has gone silent. */
  stop(): Promise<void>
}

const firstWaitMs = 250
const longestWaitMs = 15_000
const subscriptionRefused = 128
/** So long a broker may take to answer what is in flight, and again to close the connection. */
const goodbyeMs = 2000

export const createLink = (options: LinkOptions): Link => {
  const { log, url } = options
  let client: mqtt.MqttClient | undefined
  let take: TakeMessage = () => undefined
  let announce = (): void => undefined
  let trouble: string | null = 'not started'
  let attempts = 0
  const inFlight = new Set<Promise<unknown>>()

  const note = (reason: string, hint: string): void => {
    if (trouble !== reason) log.warn({ broker: url, reason, hint }, 'The broker is not reachable')
    trouble = reason
  }

  const subscribe = async (connected: mqtt.MqttClient): Promise<void> => {
    const wanted = Object.fromEntries(centralSubscriptions.map(topic => [topic, { qos: qosOf(topic) }]))
    const granted = await connected.subscribeAsync(wanted)
    const refused = granted.filter(({ qos }) => (qos as number) === subscriptionRefused).map(({ topic }) => topic)
    if (refused.length > 0) throw new Error(`the broker refuses to subscribe ${refused.join(', ')}`)
    attempts = 0
    trouble = null
    log.info({ broker: url }, 'Connected to the broker')
    announce()
  }

  const listen = (connecting: mqtt.MqttClient): void => {
    connecting.on('connect', () => {
      // Always, not only without a session: subscribing again brings the retained states again, which a broker that
      // was restarted or a central that was away has missed.
      subscribe(connecting).catch((error: Error) =>
        note(error.message, 'The access list must let central read watchpost/v1/#.'),
      )
    })
    connecting.on('error', error => note(error.message, hintFor(error)))
    connecting.on('close', () => {
      note('the connection was closed', 'Check that the broker runs and its address; central goes on trying.')
      attempts++
      // Jitter, so that not everybody comes back in the same moment.
      const wait = Math.min(longestWaitMs, firstWaitMs * 2 ** Math.min(attempts, 10)) * (0.5 + Math.random() / 2)
      connecting.options.reconnectPeriod = Math.round(wait)
    })
    // Not the 'message' event: only this can hold back the next message. MQTT.js works through it strictly serially.
    connecting.handleMessage = (packet, done) => {
      const payload = typeof packet.payload === 'string' ? Buffer.from(packet.payload) : packet.payload
      // One message must never take central down, nor hold up those behind it.
      const skip = (error: unknown) => {
        log.error({ err: error, topic: packet.topic }, 'A message could not be handled')
        done()
      }
      try {
        const taken = take(packet.topic, payload)
        if (taken instanceof Promise) taken.then(() => done(), skip)
        else done()
      } catch (error) {
        skip(error)
      }
    }
  }

  return {
    onMessage: listener => {
      take = listener
    },
    onConnect: listener => {
      announce = listener
    },
    publish: async (topic, payload, { qos, retain }) => {
      // Offline, MQTT.js would keep it in memory and send it after the newer ones that are made on reconnection.
      if (client === undefined || !client.connected) throw new NotConnectedError(`not connected to ${url}`)
      const publishing = client.publishAsync(topic, payload, { qos, retain })
      inFlight.add(publishing)
      await publishing.finally(() => inFlight.delete(publishing))
    },
    trouble: () => trouble,
    start: () => {
      client = mqtt.connect(url, {
        clientId: options.clientId,
        clean: false,
        protocolVersion: 4,
        resubscribe: false,
        keepalive: 30,
        connectTimeout: 10_000,
        reconnectPeriod: firstWaitMs,
        ...(options.username === undefined ? {} : { username: options.username }),
        ...(options.password === undefined ? {} : { password: options.password }),
        ...(options.ca === undefined ? {} : { ca: options.ca }),
      })
      listen(client)
    },
    stop: async () => {
      const ending = client
      client = undefined
      if (ending === undefined) return
      ending.removeAllListeners('close')
      // Not left to end(): that waits without limit for a broker that does not answer, and takes no second, forced end().
      const isAnswered = ending.connected && (await Promise.race([answers(inFlight), sleep(goodbyeMs, false)]))
      const cutOff = setTimeout(() => ending.stream.destroy(), goodbyeMs)
      await ending.endAsync(!isAnswered)
      clearTimeout(cutOff)
      trouble = 'stopped'
    },
  }
}

const answers = (inFlight: ReadonlySet<Promise<unknown>>): Promise<true> =>
  Promise.allSettled(inFlight).then(() => true)

const qosOf = (filter: string): 0 | 1 => {
  const topic = parseTopic(filter.replaceAll('+', 'x'))
  return topic === undefined ? 1 : delivery[topic.channel].qos
}

const hintFor = (error: Error & { code?: string | number }): string => {
  if (error.code === 4 || error.code === 5) return 'Check broker.username and broker.passwordFile.'
  if (error.code === 'ECONNREFUSED') return 'Nothing listens there: start the broker or correct broker.url.'
  if (error.code === 'ENOTFOUND') return 'The host name is unknown: correct broker.url.'
  if (String(error.code).includes('CERT')) return 'Check broker.caFile and the name in the certificate.'
  return 'Central goes on trying.'
}
