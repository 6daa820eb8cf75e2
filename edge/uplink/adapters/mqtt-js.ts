import { readFileSync } from 'node:fs'
import { connect, type ErrorWithReasonCode, type IClientOptions, type MqttClient } from 'mqtt'
import { createBackOff } from '../back-off.js'
import { type LinkProblem, type MqttLink, type MqttLinkOptions, NotConnectedError } from '../mqtt-link.js'

const connectTimeoutMs = 10_000
/** A dead peer is noticed after one and a half of it. */
const keepaliveSeconds = 15
const goodbyeMs = 2_000
const firstPauseMs = 500
const longestPauseMs = 30_000

/**
 * MQTT 3.1.1 by MQTT.js. Every connection is a client of its own: the library's reconnection would send again what was in
 * flight, from memory, beside what the outbox sends again anyway.
 */
export const createMqttJsLink = (options: MqttLinkOptions): MqttLink => {
  const backOff = createBackOff(firstPauseMs, longestPauseMs)
  let client: MqttClient | undefined
  let timer: NodeJS.Timeout | undefined
  let isRunning = false
  let isReady = false
  let isTold = false
  let onConnected = (): void => {}
  let onDisconnected = (_problem: LinkProblem): void => {}
  let onMessage = (_topic: string, _payload: Buffer): void => {}

  const attempt = (): void => {
    let problem: Error | undefined
    const mine = open()
    if (!mine) return
    client = mine
    mine.on('connect', () => {
      mine
        .subscribeAsync([...options.subscriptions], { qos: 1 })
        .then(granted => {
          const refused = granted.filter(({ qos }) => qos > 2).map(({ topic }) => topic)
          if (refused.length > 0) throw new Error(`the broker refused subscription to ${refused.join(', ')}`)
          if (mine !== client || !mine.connected) return
          isReady = true
          isTold = false
          backOff.reset()
          onConnected()
        })
        .catch((error: Error) => {
          problem ??= error
          mine.end(true)
        })
    })
    mine.on('message', (topic, payload) => onMessage(topic, payload))
    mine.on('error', error => {
      problem ??= error
      mine.end(true)
    })
    mine.on('close', () => {
      if (mine !== client) return
      client = undefined
      isReady = false
      mine.end(true)
      mine.removeAllListeners('message')
      lost(problem ?? new Error('the connection was closed by the other side'))
    })
  }

  const open = (): MqttClient | undefined => {
    try {
      return connect(options.url, clientOptions(options))
    } catch (error) {
      lost(error as Error)
      return undefined
    }
  }

  const lost = (error: Error): void => {
    if (!isRunning) return
    timer = setTimeout(attempt, backOff.nextMs())
    // Once per outage, not once per attempt.
    if (isTold) return
    isTold = true
    onDisconnected(problemOf(error, options.url))
  }

  return {
    start() {
      if (isRunning) return
      isRunning = true
      attempt()
    },
    async stop() {
      isRunning = false
      clearTimeout(timer)
      const last = client
      client = undefined
      isReady = false
      if (!last) return
      let goodbye: NodeJS.Timeout | undefined
      const patience = new Promise<void>(resolve => {
        goodbye = setTimeout(resolve, goodbyeMs)
      })
      // A broker that is silent would be waited for without end, and `end(true)` does nothing while an end is under way.
      await Promise.race([last.endAsync(!last.connected).catch(() => undefined), patience])
      clearTimeout(goodbye)
      last.stream?.destroy()
    },
    isConnected: () => isReady,
    async publish({ topic, payload, qos, retain }) {
      if (!client || !isReady) throw new NotConnectedError(`No connection to ${options.url}`)
      try {
        await client.publishAsync(topic, payload, { qos, retain })
      } catch (error) {
        throw new NotConnectedError(`The connection to ${options.url} was lost while publishing`, { cause: error })
      }
    },
    onConnected(listener) {
      onConnected = listener
    },
    onDisconnected(listener) {
      onDisconnected = listener
    },
    onMessage(listener) {
      onMessage = listener
    },
  }
}

const clientOptions = (options: MqttLinkOptions): IClientOptions => ({
  protocolVersion: 4,
  clientId: options.clientId,
  // The broker keeps our subscriptions, so commands sent during a short loss arrive.
  clean: false,
  reconnectPeriod: 0,
  connectTimeout: connectTimeoutMs,
  keepalive: keepaliveSeconds,
  resubscribe: false,
  queueQoSZero: false,
  will: { ...options.will(), payload: Buffer.from(options.will().payload) },
  ...(options.username === undefined ? {} : { username: options.username }),
  ...(options.password === undefined ? {} : { password: options.password }),
  ...(options.caFile === undefined ? {} : { ca: readFileSync(options.caFile) }),
})

const connackReasons: Readonly<Record<number, readonly [string, string]>> = {
  2: ['refuses the client id', "Check that agent in the configuration is the broker's name for this agent."],
  3: ['is not available', 'Nothing to do here: the agent keeps trying.'],
  4: ['refuses username or password', 'Check mqtt.username and mqtt.passwordFile.'],
  5: ['does not let this agent in', 'Check mqtt.username, mqtt.passwordFile and the access list of the broker.'],
}

const problemOf = (error: Error, url: string): LinkProblem => {
  const refused = connackReasons[(error as ErrorWithReasonCode).code]
  if (refused) return { message: `The broker at ${url} ${refused[0]}`, hint: refused[1] }
  const code = String((error as NodeJS.ErrnoException).code ?? '')
  const reason = error.message || code || (error as AggregateError).errors?.map(String).join('; ') || 'unknown'
  if (/CERT|SELF_SIGNED|SSL|TLS|altname/i.test(`${code} ${reason}`))
    return {
      message: `No trusted connection to ${url}: ${reason}`,
      hint: 'Check mqtt.caFile and the name in mqtt.url.',
    }
  return {
    message: `No connection to the broker at ${url}: ${reason}`,
    hint: 'The agent keeps recording and trying. Check mqtt.url, the network and that the broker runs.',
  }
}
