import { idPattern } from './contracts/primitives.js'

/** The only place where MQTT topics are built and parsed: `watchpost/v1/{site}/{agent}/…`. */
const root = 'watchpost/v1'
const isId = (text: string | undefined): text is string => text !== undefined && new RegExp(idPattern).test(text)

export const channels = ['state', 'health', 'data', 'ack', 'nack', 'desired', 'reported', 'shadow'] as const
export type Channel = (typeof channels)[number]

export interface AgentAddress {
  readonly siteId: string
  readonly agentId: string
}

export type ParsedTopic = AgentAddress &
  (
    | { readonly channel: Channel }
    | { readonly channel: 'command'; readonly command: string }
    | { readonly channel: 'reply'; readonly command: string }
  )

/** Quality of service and retain flag of each channel. */
export const delivery: Readonly<Record<Channel | 'command' | 'reply', { qos: 0 | 1; retain: boolean }>> = {
  state: { qos: 1, retain: true },
  health: { qos: 0, retain: false },
  data: { qos: 1, retain: false },
  ack: { qos: 1, retain: true },
  nack: { qos: 1, retain: false },
  desired: { qos: 1, retain: true },
  reported: { qos: 1, retain: true },
  shadow: { qos: 1, retain: true },
  command: { qos: 1, retain: false },
  reply: { qos: 1, retain: false },
}

export const topicOf = ({ siteId, agentId }: AgentAddress, channel: Channel): string =>
  `${root}/${siteId}/${agentId}/${channel}`

export const commandTopic = ({ siteId, agentId }: AgentAddress, command: string): string =>
  `${root}/${siteId}/${agentId}/command/${command}`

export const replyTopic = (address: AgentAddress, command: string): string => `${commandTopic(address, command)}/reply`

/** What central subscribes to. */
export const centralSubscriptions: readonly string[] = [
  ...(['state', 'health', 'data', 'reported', 'shadow'] as const).map(channel => `${root}/+/+/${channel}`),
  `${root}/+/+/command/+/reply`,
]

/** What an agent subscribes to. */
export const agentSubscriptions = (address: AgentAddress): readonly string[] => [
  ...(['ack', 'nack', 'desired'] as const).map(channel => topicOf(address, channel)),
  commandTopic(address, '+'),
]

/** Undefined when the topic is not ours or an identifier in it is malformed. */
export const parseTopic = (topic: string): ParsedTopic | undefined => {
  const [watchpost, version, siteId, agentId, channel, command, reply, ...rest] = topic.split('/')
  if (`${watchpost}/${version}` !== root || !isId(siteId) || !isId(agentId) || rest.length > 0) return undefined
  if (channel === 'command' && isId(command)) {
    if (reply === undefined) return { siteId, agentId, channel: 'command', command }
    return reply === 'reply' ? { siteId, agentId, channel: 'reply', command } : undefined
  }
  if (command !== undefined) return undefined
  const known = channels.find(name => name === channel)
  return known && { siteId, agentId, channel: known }
}
