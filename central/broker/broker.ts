/** Central's own client id; nobody else may have it. */
export const centralClientId = 'watchpost-central'

/** A broker that central runs itself. */
export interface Broker {
  /** Resolves when it listens; rejects when it cannot (port taken, say). Later deaths are repaired silently. */
  start(): Promise<BrokerAddress>
  /** Agents the city knows: each may publish under its own site only. */
  setSites(siteOfAgent: ReadonlyMap<string, string>): void
  /** Null while it runs. */
  trouble(): string | null
  restarts(): number
  /** Of its process; undefined while it does not run. */
  pid(): number | undefined
  stop(): Promise<void>
}

export interface BrokerAddress {
  readonly url: string
  /** Central's own credentials, made at start. */
  readonly username: string
  readonly password: string
}
