export interface MqttMessage {
  readonly topic: string
  readonly payload: string
  readonly qos: 0 | 1
  readonly retain: boolean
}

export interface MqttLinkOptions {
  /** Without credentials. */
  readonly url: string
  readonly clientId: string
  readonly username: string | undefined
  readonly password: string | undefined
  readonly caFile: string | undefined
  /** Published by the broker when this client is lost; made anew for every connection. */
  readonly will: () => MqttMessage
  /** Asked for at every connection, so that retained messages arrive even when the broker kept the session. */
  readonly subscriptions: readonly string[]
}

/** One connection to a broker that is made again whenever it is lost. Nothing is queued: what cannot be sent now is refused. */
export interface MqttLink {
  /** Connects, and goes on trying with growing, jittered pauses until it is stopped. Returns at once. */
  start(): void
  /** Says goodbye, within two seconds; a lost broker does not delay it. No will is published then. */
  stop(): Promise<void>
  isConnected(): boolean
  /**
   * Resolves when the broker has it (QoS 1) or it was handed to the socket (QoS 0). A broker's word is not central's.
   * @throws {NotConnectedError} at once, or when the connection is lost before the broker answered.
   */
  publish(message: MqttMessage): Promise<void>
  /** One listener; connected and subscribed. */
  onConnected(listener: () => void): void
  /** One listener; called once per lost connection and once for the first attempt that failed. */
  onDisconnected(listener: (problem: LinkProblem) => void): void
  /** One listener; messages in the order they came. */
  onMessage(listener: (topic: string, payload: Buffer) => void): void
}

export interface LinkProblem {
  readonly message: string
  readonly hint: string
}

/** The caller keeps what it has and waits for the next connection. */
export class NotConnectedError extends Error {
  override readonly name = 'NotConnectedError'
}
