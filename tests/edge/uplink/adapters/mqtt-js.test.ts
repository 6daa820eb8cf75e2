import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { Aedes } from 'aedes'
import { afterEach, describe, expect, it } from 'vitest'
import { createMqttJsLink } from '../../../../edge/uplink/adapters/mqtt-js.js'

let close = async (): Promise<void> => {}
afterEach(() => close())

/** Takes connections and subscriptions, and never answers a message. */
const silentBroker = async () => {
  const broker = await Aedes.createBroker({ authorizePublish: () => {} })
  const sockets: Socket[] = []
  const server = createServer(socket => {
    sockets.push(socket)
    broker.handle(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  close = async () => {
    for (const socket of sockets) socket.destroy()
    server.close()
    await new Promise<void>(resolve => broker.close(resolve))
  }
  return { port: (server.address() as AddressInfo).port, sockets }
}

describe('a link to a broker that does not answer', () => {
  it('is stopped within its two seconds, and lets go of the connection', async () => {
    const { port, sockets } = await silentBroker()
    const link = createMqttJsLink({
      url: `mqtt://127.0.0.1:${port}`,
      clientId: 'an-cuu-1',
      username: undefined,
      password: undefined,
      caFile: undefined,
      will: () => ({ topic: 'will', payload: 'offline', qos: 1, retain: true }),
      subscriptions: ['a/b'],
    })
    await new Promise<void>(resolve => {
      link.onConnected(resolve)
      link.start()
    })
    const [socket] = sockets
    const closed = once(socket!, 'close')
    void link.publish({ topic: 'data', payload: '1', qos: 1, retain: false }).catch(() => {})
    const startedAt = performance.now()
    await link.stop()
    // Generous: the machine may be busy. Without a bound it never ends.
    expect(performance.now() - startedAt).toBeLessThan(10_000)
    await closed
  })
})
