import { agentSubscriptions, parseTopic } from '@watchpost/shared/topics'
import { centralClientId } from '../broker.js'

/** Who is connected. `anonymous`: no credentials file is set, so anybody on this machine is trusted as an agent. */
export type Identity =
  | { readonly kind: 'central' }
  | { readonly kind: 'agent'; readonly agentId: string }
  | { readonly kind: 'anonymous' }

export interface PublishAttempt {
  readonly topic: string
  readonly qos: number
  readonly retain: boolean
  readonly payloadBytes: number
}

const upChannels = new Set(['state', 'health', 'data', 'reported', 'shadow', 'reply'])
const downChannels = new Set(['ack', 'nack', 'desired', 'command'])
const retainedChannels = new Set(['state', 'reported', 'shadow'])
/** A full batch of 1,000 envelopes is about 1 MB. */
const largestPayloadBytes = 8 * 1024 * 1024

/**
 * Why this client id is refused, or undefined when it may be used. Whoever connects with the id of another takes over its session:
 * the other is cut off and its messages come here.
 */
export const refuseClientId = (who: Identity, clientId: string): string | undefined => {
  if (who.kind === 'central') return undefined
  if (clientId === centralClientId) return `only central may have the client id ${centralClientId}`
  return who.kind === 'anonymous' || clientId === who.agentId
    ? undefined
    : `agent ${who.agentId} must have its name as its client id, not ${clientId}`
}

/** Why the message is refused, or undefined when it may pass. */
export const refusePublish = (
  who: Identity,
  { topic, qos, retain, payloadBytes }: PublishAttempt,
  siteOfAgent: ReadonlyMap<string, string>,
): string | undefined => {
  const parsed = parseTopic(topic)
  if (parsed === undefined) return `${topic} is not one of our topics`
  if (payloadBytes > largestPayloadBytes) return `${payloadBytes} bytes are more than ${largestPayloadBytes}`
  if (who.kind === 'central') return downChannels.has(parsed.channel) ? undefined : `central does not publish ${topic}`
  if (!upChannels.has(parsed.channel)) return `only central publishes ${parsed.channel}`
  // A QoS 0 flood reaches the broker's memory without any flow control.
  if (parsed.channel === 'data' && qos === 0) return 'data must be published with QoS 1'
  // A retained batch would be delivered again at every start of central; an empty one clears a retained message.
  if (retain && !retainedChannels.has(parsed.channel)) return `${parsed.channel} must not be retained`
  if (who.kind === 'anonymous') return undefined
  if (parsed.agentId !== who.agentId) return `agent ${who.agentId} may not speak as ${parsed.agentId}`
  const site = siteOfAgent.get(who.agentId)
  return site === undefined || site === parsed.siteId ? undefined : `agent ${who.agentId} belongs to site ${site}`
}

/** Why the subscription is refused, or undefined when it may stand. */
export const refuseSubscription = (
  who: Identity,
  filter: string,
  siteOfAgent: ReadonlyMap<string, string>,
): string | undefined => {
  if (who.kind !== 'agent') return undefined
  // `command/+` and each command by name.
  const parsed = parseTopic(filter.replace(/\/command\/\+$/, '/command/any'))
  if (parsed === undefined) return `${filter} is not a topic of one agent`
  if (parsed.agentId !== who.agentId) return `agent ${who.agentId} may not listen to ${parsed.agentId}`
  const site = siteOfAgent.get(who.agentId)
  if (site !== undefined && site !== parsed.siteId) return `agent ${who.agentId} belongs to site ${site}`
  const own = agentSubscriptions(parsed)
  return own.includes(filter) || parsed.channel === 'command' ? undefined : `agents do not listen to ${filter}`
}

export const isLoopback = (address: string | undefined): boolean =>
  address !== undefined && (address === '::1' || /^(::ffff:)?127\./.test(address))
