import { describe, expect, it } from 'vitest'
import {
  isLoopback,
  refuseClientId,
  refusePublish,
  refuseSubscription,
} from '../../../central/broker/embedded/access.js'

const sites = new Map([['an-cuu-1', 'an-cuu']])
const agent = { kind: 'agent', agentId: 'an-cuu-1' } as const
const stranger = { kind: 'agent', agentId: 'new-1' } as const
const central = { kind: 'central' } as const
const anonymous = { kind: 'anonymous' } as const
const at = (topic: string, options: { qos?: number; retain?: boolean; payloadBytes?: number } = {}) => ({
  topic,
  qos: 1,
  retain: false,
  payloadBytes: 100,
  ...options,
})
const own = 'watchpost/v1/an-cuu/an-cuu-1'

describe('refuseClientId', () => {
  it.each([
    ['its own name', agent, 'an-cuu-1'],
    ['any name on this machine', anonymous, 'mqttjs_1'],
    ['the name of central', central, 'watchpost-central'],
    ['any name for central', central, 'mqttjs_1'],
  ])('lets in under %s', (_, who, clientId) => {
    expect(refuseClientId(who, clientId)).toBeUndefined()
  })

  it.each([
    ['of another agent', agent, 'an-cuu-2'],
    ['of nobody', agent, 'aedes_1'],
    ['of central', agent, 'watchpost-central'],
    ['of central on this machine', anonymous, 'watchpost-central'],
    [
      'of central for an agent that is called so',
      { kind: 'agent', agentId: 'watchpost-central' } as const,
      'watchpost-central',
    ],
  ])('refuses the name %s', (_, who, clientId) => {
    expect(refuseClientId(who, clientId)).toEqual(expect.any(String))
  })
})

describe('refusePublish', () => {
  it.each([
    ['own data', agent, at(`${own}/data`)],
    ['own state, retained', agent, at(`${own}/state`, { retain: true })],
    ['own health with QoS 0', agent, at(`${own}/health`, { qos: 0 })],
    ['a reply', agent, at(`${own}/command/snapshot/reply`)],
    ['data of an agent the city does not name yet', stranger, at('watchpost/v1/any/new-1/data')],
    ['anything an agent sends, from this machine', anonymous, at('watchpost/v1/x/y/data')],
    ['an ack of central', central, at(`${own}/ack`, { retain: true })],
    ['a command of central', central, at(`${own}/command/snapshot`)],
  ])('lets pass %s', (_, who, attempt) => {
    expect(refusePublish(who, attempt, sites)).toBeUndefined()
  })

  it.each([
    ['data with QoS 0', agent, at(`${own}/data`, { qos: 0 })],
    ['retained data', agent, at(`${own}/data`, { retain: true })],
    ['the data of another agent', agent, at('watchpost/v1/an-cuu/an-cuu-2/data')],
    ['data under another site', agent, at('watchpost/v1/kim-long/an-cuu-1/data')],
    ['an ack of an agent', agent, at(`${own}/ack`)],
    ['an ack of an anonymous client', anonymous, at(`${own}/ack`)],
    ['a topic of somebody else', anonymous, at('zigbee2mqtt/lamp')],
    ['an enormous payload', agent, at(`${own}/data`, { payloadBytes: 9_000_000 })],
    ['data of central', central, at(`${own}/data`)],
  ])('refuses %s', (_, who, attempt) => {
    expect(refusePublish(who, attempt, sites)).toEqual(expect.any(String))
  })
})

describe('refuseSubscription', () => {
  it.each([`${own}/ack`, `${own}/nack`, `${own}/desired`, `${own}/command/+`, `${own}/command/reload`])(
    'lets an agent listen to %s',
    filter => expect(refuseSubscription(agent, filter, sites)).toBeUndefined(),
  )

  it.each([
    '#',
    'watchpost/v1/#',
    'watchpost/v1/+/+/ack',
    'watchpost/v1/an-cuu/an-cuu-2/ack',
    `${own}/data`,
    `${own}/#`,
  ])('does not let an agent listen to %s', filter =>
    expect(refuseSubscription(agent, filter, sites)).toEqual(expect.any(String)),
  )
})

describe('isLoopback', () => {
  it('knows both families and mapped addresses', () => {
    expect(['127.0.0.1', '127.8.8.8', '::1', '::ffff:127.0.0.1'].every(isLoopback)).toBe(true)
    expect(['10.0.0.1', '::ffff:10.0.0.1', '1270.0.0.1', undefined].some(isLoopback)).toBe(false)
  })
})
