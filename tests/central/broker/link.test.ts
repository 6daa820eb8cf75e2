import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { Aedes } from 'aedes'
import { pino } from 'pino'
import { afterEach, expect, it } from 'vitest'
import { createLink, type Link } from '../../../central/broker/link.js'

const log = pino({ level: 'silent' })
const sockets: Socket[] = []
let broker: Aedes
let server: Server

/** A broker whose process can be made to hang: its sockets stay open and say nothing any more. */
const connected = async (): Promise<Link> => {
  broker = await Aedes.createBroker()
  server = createServer({ allowHalfOpen: true }, socket => {
    sockets.push(socket)
    broker.handle(socket)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const link = createLink({ url: `mqtt://127.0.0.1:${port}`, clientId: 'watchpost-central', log })
  const stands = new Promise<void>(resolve => link.onConnect(resolve))
  link.start()
  await stands
  return link
}
const hang = (): void => {
  for (const socket of sockets)
    socket
      .removeAllListeners()
      .on('error', () => undefined)
      .pause()
}

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  server.close()
  await new Promise<void>(resolve => broker.close(resolve))
})

it.each([
  ['with an ack in flight', true],
  ['with nothing in flight', false],
])('stops within seconds when the broker has gone silent, %s', async (_, isInFlight) => {
  const link = await connected()
  hang()
  if (isInFlight)
    void link.publish('watchpost/v1/an-cuu/an-cuu-1/ack', '{}', { qos: 1, retain: true }).catch(() => undefined)
  await link.stop()
  expect(link.trouble()).toBe('stopped')
})

it('waits at its end for the acks in flight', async () => {
  const link = await connected()
  let isThere = false
  const ack = link.publish('watchpost/v1/an-cuu/an-cuu-1/ack', '{}', { qos: 1, retain: true }).then(() => {
    isThere = true
  })
  await link.stop()
  expect(isThere).toBe(true)
  await ack
})
