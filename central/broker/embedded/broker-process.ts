import { createHash, timingSafeEqual } from 'node:crypto'
import { createServer, type Socket } from 'node:net'
import { Aedes, type Client } from 'aedes'
import { type Identity, isLoopback, refuseClientId, refusePublish, refuseSubscription } from './access.js'
import type { BrokerCommand, BrokerReport } from './broker-protocol.js'

/** The embedded broker, a process of its own: it may fall over without taking central along, and central restarts it. */
type Listen = Extract<BrokerCommand, { kind: 'listen' }>

const report = (message: BrokerReport): void => {
  process.send?.(message)
}
/** Return codes of CONNACK, [MQTT-3.2.2-3]. */
const identifierRejected = 2
const badCredentials = 4
const identities = new WeakMap<Client, Identity>()
let sites: ReadonlyMap<string, string> = new Map()

const sha256 = (text: string | Buffer): Buffer => createHash('sha256').update(text).digest()
const same = (a: Buffer, b: Buffer): boolean => a.length === b.length && timingSafeEqual(a, b)

const identify = (
  settings: Listen,
  username: string | undefined,
  password: Buffer | undefined,
  remoteAddress: string | undefined,
): Identity | string => {
  if (username === settings.centralUsername)
    return password !== undefined && same(sha256(password), sha256(settings.centralPassword))
      ? { kind: 'central' }
      : 'wrong password for central'
  if (settings.passwordHashes === null)
    return isLoopback(remoteAddress)
      ? { kind: 'anonymous' }
      : `${remoteAddress} is not this machine, and no credentials file is set`
  // A user name is from the wire: `constructor` must not find anything.
  const hash =
    username !== undefined && Object.hasOwn(settings.passwordHashes, username)
      ? settings.passwordHashes[username]
      : undefined
  if (username === undefined || hash === undefined) return `no credentials for ${username ?? 'an anonymous client'}`
  return password !== undefined && same(sha256(password), Buffer.from(hash, 'hex'))
    ? { kind: 'agent', agentId: username }
    : `wrong password for ${username}`
}

const listen = async (settings: Listen): Promise<void> => {
  sites = new Map(Object.entries(settings.sites))
  const refused = (client: Client | null, reason: string): Error => {
    report({ kind: 'refused', clientId: client?.id ?? '(unknown)', reason })
    return new Error(reason)
  }
  const broker = await Aedes.createBroker({
    // The default. At 1,000 a QoS 0 flood ended the process with a RangeError.
    concurrency: 100,
    maxClientsIdLength: 128,
    authenticate: (client, username, password, done) => {
      const who = identify(settings, username, password, (client.conn as Socket).remoteAddress)
      const refuse = (reason: string, returnCode: number) =>
        done(Object.assign(refused(client, reason), { returnCode }), false)
      if (typeof who === 'string') return refuse(who, badCredentials)
      const reason = refuseClientId(who, client.id)
      if (reason !== undefined) return refuse(reason, identifierRejected)
      identities.set(client, who)
      return done(null, true)
    },
    authorizePublish: (client, packet, done) => {
      // Null: the broker's own messages, and wills of clients that are gone; those were checked at connection.
      if (client === null) return done(null)
      const { topic, qos, retain, payload } = packet
      const attempt = { topic, qos, retain, payloadBytes: Buffer.byteLength(payload) }
      const reason = refusePublish(identities.get(client)!, attempt, sites)
      return done(reason === undefined ? null : refused(client, reason))
    },
    authorizeSubscribe: (client, subscription, done) => {
      const reason = refuseSubscription(identities.get(client)!, subscription.topic, sites)
      if (reason === undefined) return done(null, subscription)
      refused(client, reason)
      return done(null, null)
    },
  })
  const server = createServer(socket => {
    // Without it small acks wait for Nagle and windows of messages crawl.
    socket.setNoDelay(true)
    broker.handle(socket)
  })
  server.on('error', (error: NodeJS.ErrnoException) => {
    report({ kind: 'failed', code: error.code ?? 'UNKNOWN', reason: error.message })
    process.exit(1)
  })
  server.listen(settings.port, settings.host, () => {
    const address = server.address()
    report({ kind: 'listening', port: typeof address === 'object' && address !== null ? address.port : settings.port })
  })
}

process.on('message', (command: BrokerCommand) => {
  if (command.kind === 'listen') void listen(command)
  else if (command.kind === 'sites') sites = new Map(Object.entries(command.sites))
  else process.exit(0)
})
// The parent is gone, whichever way: nobody is left to commit what we would acknowledge.
process.on('disconnect', () => process.exit(0))
// A terminal sends Ctrl-C to the whole group; central decides when we end.
process.on('SIGINT', () => undefined)
process.on('SIGTERM', () => undefined)
