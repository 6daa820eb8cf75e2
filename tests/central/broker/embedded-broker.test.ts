import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import { topicOf } from '@watchpost/shared/topics'
import mqtt from 'mqtt'
import { pino } from 'pino'
import { afterEach, describe, expect, it } from 'vitest'
import type { Broker } from '../../../central/broker/broker.js'
import { createEmbeddedBroker, type EmbeddedBrokerOptions } from '../../../central/broker/embedded/embedded-broker.js'
import { freePort } from '../../helpers/free-port.js'
import { until } from '../../helpers/server-process.js'

const log = pino({ level: 'silent' })
const own = { siteId: 'an-cuu', agentId: 'an-cuu-1' }
const credentials = new Map([
  ['an-cuu-1', 'one'],
  ['an-cuu-2', 'two'],
])
let broker: Broker | undefined
const clients: mqtt.MqttClient[] = []

const start = async (options: Partial<EmbeddedBrokerOptions> = {}) => {
  broker = createEmbeddedBroker({ host: '127.0.0.1', port: 0, log, ...options })
  broker.setSites(new Map([['an-cuu-1', 'an-cuu']]))
  return broker.start()
}
const connect = async (url: string, options: mqtt.IClientOptions = {}) => {
  const client = await mqtt.connectAsync(url, {
    protocolVersion: 4,
    reconnectPeriod: 0,
    connectTimeout: 30_000,
    ...options,
  })
  client.on('error', () => undefined)
  clients.push(client)
  return client
}
/** The broker answers a forbidden publish by closing the connection; MQTT 3.1.1 has no other way. */
const isCutOff = async (client: mqtt.MqttClient, topic: string, qos: 0 | 1 = 1) => {
  const closed = new Promise<true>(resolve => client.once('close', () => resolve(true)))
  const accepted = client.publishAsync(topic, 'x', { qos }).then(
    () => (qos === 1 ? false : closed),
    () => true,
  )
  return Promise.race([closed, accepted])
}

afterEach(async () => {
  await Promise.all(clients.splice(0).map(client => client.endAsync(true)))
  await broker?.stop()
  broker = undefined
})

describe('the embedded broker with credentials', () => {
  it.each([
    ['nobody', {}],
    ['a stranger', { username: 'stranger', password: 'one' }],
    ['a name every object inherits', { username: 'constructor', password: 'one' }],
    ['an agent with the password of another', { username: 'an-cuu-1', password: 'two' }],
    ['an agent without a password', { username: 'an-cuu-1' }],
  ])('does not let in %s', async (_, who) => {
    const { url } = await start({ credentials })
    await expect(connect(url, who)).rejects.toMatchObject({ code: 4 })
    expect(broker?.trouble()).toBeNull()
  })

  it('lets an agent speak under its own name and to central only', async () => {
    const { url, ...central } = await start({ credentials })
    const listener = await connect(url, central)
    const heard: string[] = []
    listener.on('message', topic => heard.push(topic))
    await listener.subscribeAsync('watchpost/v1/#', { qos: 1 })
    const login = { clientId: 'an-cuu-1', username: 'an-cuu-1', password: 'one' }
    expect(await isCutOff(await connect(url, login), topicOf(own, 'data'))).toBe(false)
    expect(await isCutOff(await connect(url, login), topicOf(own, 'data'), 0)).toBe(true)
    expect(await isCutOff(await connect(url, login), topicOf({ ...own, agentId: 'an-cuu-2' }, 'data'))).toBe(true)
    expect(await isCutOff(await connect(url, login), topicOf({ ...own, siteId: 'kim-long' }, 'data'))).toBe(true)
    expect(await isCutOff(await connect(url, login), topicOf(own, 'ack'))).toBe(true)
    await until('it is heard', () => heard.length > 0)
    expect(heard).toEqual([topicOf(own, 'data')])
  })

  it.each(['watchpost-central', 'an-cuu-2', ''])(
    'does not let an agent take over the session of "%s"',
    async clientId => {
      const { url, ...central } = await start({ credentials })
      const others = [
        await connect(url, { clientId: 'watchpost-central', clean: false, ...central }),
        await connect(url, { clientId: 'an-cuu-2', clean: false, username: 'an-cuu-2', password: 'two' }),
      ]
      const login = { clientId, clean: clientId === '', username: 'an-cuu-1', password: 'one' }
      await expect(connect(url, login)).rejects.toMatchObject({ code: 2 })
      expect(others.map(other => other.connected)).toEqual([true, true])
    },
  )

  it('lets an agent listen to what is meant for it, and to nothing else', async () => {
    const { url } = await start({ credentials })
    const agent = await connect(url, { clientId: 'an-cuu-1', username: 'an-cuu-1', password: 'one' })
    const granted = await agent.subscribeAsync([topicOf(own, 'ack'), `watchpost/v1/an-cuu/an-cuu-1/command/+`], {
      qos: 1,
    })
    expect(granted.map(({ qos }) => qos)).toEqual([1, 1])
    const other = topicOf({ ...own, agentId: 'an-cuu-2' }, 'ack')
    await expect(agent.subscribeAsync([other, 'watchpost/v1/#'], { qos: 1 })).rejects.toThrow()
  })
})

describe('the embedded broker', () => {
  it('comes back on the same port when its process is killed', { timeout: 240_000 }, async () => {
    const { url, ...central } = await start({ port: await freePort() })
    for (const restarts of [1, 2]) {
      process.kill(broker!.pid()!, 'SIGKILL')
      await until('it is back', () => broker!.restarts() === restarts && broker!.trouble() === null)
    }
    expect((await connect(url, central)).connected).toBe(true)
  })

  it('survives a flood of QoS 0 messages', { timeout: 240_000 }, async () => {
    const { url, ...central } = await start()
    const listener = await connect(url, central)
    let heard = 0
    listener.on('message', () => heard++)
    await listener.subscribeAsync('watchpost/v1/+/+/health', { qos: 0 })
    const agent = await connect(url)
    for (let index = 0; index < 20_000; index++) agent.publish(topicOf(own, 'health'), 'x'.repeat(200), { qos: 0 })
    await until('some are heard', () => heard > 1000)
    expect(broker?.restarts()).toBe(0)
  })

  it('says what to do when its port is taken', async () => {
    const other = createServer()
    const port = await freePort()
    await once(other.listen(port, '127.0.0.1'), 'listening')
    await expect(start({ port })).rejects.toThrow(/taken: stop the other broker, or set broker.port/)
    other.close()
  })

  it('ends with its parent, even when that is killed', { timeout: 240_000 }, async () => {
    const script = fileURLToPath(new URL('./broker-parent.mjs', import.meta.url))
    const dist = fileURLToPath(new URL('../../../central/dist', import.meta.url))
    const parent: ChildProcess = fork(script, [dist])
    const [{ pid, url }] = (await once(parent, 'message')) as [{ pid: number; url: string }]
    await connect(url)
    parent.kill('SIGKILL')
    await until('the broker is gone', () => {
      try {
        process.kill(pid, 0)
        return false
      } catch {
        return true
      }
    })
  })
})
