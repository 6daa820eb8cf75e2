import { delivery } from '../topics.js'
import { catalogue } from './catalogue.js'

type Json = Record<string, unknown>

interface ChannelDescription {
  readonly topic: string
  readonly message: string
  readonly from: 'agent' | 'central'
  readonly summary: string
}

const prefix = 'watchpost/v1/{site}/{agent}'
const described: Readonly<Record<keyof typeof delivery, ChannelDescription>> = {
  state: { topic: 'state', message: 'state.v1', from: 'agent', summary: 'Online or offline; also the last will.' },
  health: { topic: 'health', message: 'health.v1', from: 'agent', summary: 'How the agent and its cameras are.' },
  data: { topic: 'data', message: 'data.v1', from: 'agent', summary: 'Envelopes in seq order.' },
  ack: { topic: 'ack', message: 'ack.v1', from: 'central', summary: 'Everything up to seq is committed.' },
  nack: { topic: 'nack', message: 'nack.v1', from: 'central', summary: 'One message is refused for good.' },
  desired: { topic: 'desired', message: 'desired.v1', from: 'central', summary: 'Settings the agent should run.' },
  reported: { topic: 'reported', message: 'reported.v1', from: 'agent', summary: 'Settings the agent runs.' },
  shadow: {
    topic: 'shadow',
    message: 'shadow.v1',
    from: 'agent',
    summary: 'How candidate models compare with the active ones.',
  },
  command: { topic: 'command/{command}', message: 'command.v1', from: 'central', summary: 'Something to do once.' },
  reply: {
    topic: 'command/{command}/reply',
    message: 'command-reply.v1',
    from: 'agent',
    summary: 'What came of a command.',
  },
}

/** The AsyncAPI 3.0 document of the MQTT interface, from the schemas that validate it. */
export const asyncApiDocument = (version: string): Json => ({
  asyncapi: '3.0.0',
  info: {
    title: 'Watchpost agent interface',
    version,
    description: 'What edge agents and central say to each other over MQTT 3.1.1.',
    license: { name: 'Apache-2.0' },
  },
  defaultContentType: 'application/json',
  channels: Object.fromEntries(Object.entries(described).map(([name, channel]) => [name, channelOf(name, channel)])),
  operations: Object.fromEntries(
    Object.entries(described).map(([name, channel]) => [name, operationOf(name, channel)]),
  ),
  components: {
    messages: Object.fromEntries(Object.values(described).map(channel => [channel.message, messageOf(channel)])),
  },
})

const channelOf = (name: string, { topic, message, summary }: ChannelDescription): Json => ({
  address: `${prefix}/${topic}`,
  summary,
  messages: { [name]: { $ref: `#/components/messages/${message}` } },
  parameters: {
    site: { description: 'Site id.' },
    agent: { description: 'Agent id.' },
    ...(topic.includes('{command}') ? { command: { description: 'Name of the command.' } } : {}),
  },
})

/** Operations are told from central's side. */
const operationOf = (name: string, { from }: ChannelDescription): Json => {
  const { qos, retain } = delivery[name as keyof typeof delivery]
  return {
    action: from === 'agent' ? 'receive' : 'send',
    channel: { $ref: `#/channels/${name}` },
    bindings: { mqtt: { qos, retain, bindingVersion: '0.2.0' } },
  }
}

const messageOf = ({ message, summary }: ChannelDescription): Json => {
  const entry = catalogue[message]
  if (entry === undefined) throw new Error(`No schema named ${message} in the catalogue`)
  return { name: message, summary, payload: entry.schema, examples: entry.examples.map(payload => ({ payload })) }
}
