import { createSocket, type RemoteInfo, type Socket as UdpSocket } from 'node:dgram'
import { once } from 'node:events'
import { isIPv6, type Socket } from 'node:net'
import type { MediaTransport } from './viewer.js'

/** Media inside the RTSP connection (RFC 2326, 10.12). */
export const tcpTransport = (socket: Socket, channels: readonly [media: number, control: number]): MediaTransport => {
  const framed = (channel: number, packet: Buffer): Buffer[] => {
    const header = Buffer.from([0x24, channel, 0, 0])
    header.writeUInt16BE(packet.length, 2)
    return [header, packet]
  }
  const send = (parts: readonly Buffer[]): void => {
    if (socket.writable && parts.length > 0) socket.write(Buffer.concat(parts))
  }
  return {
    kind: 'tcp',
    sendMedia: packets => send(packets.flatMap(packet => framed(channels[0], packet))),
    sendControl: packet => send(framed(channels[1], packet)),
    backlogBytes: () => socket.writableLength,
    close: () => undefined,
  }
}

/** One pair of ports for all clients: even for media, the next for RTCP (RFC 3550, 11). */
export interface UdpPorts {
  readonly ports: readonly [media: number, control: number]
  transport(address: string, ports: readonly [media: number, control: number]): MediaTransport
  /** A packet came from this client: it is alive. */
  onPacket(listener: (address: string, port: number) => void): void
  close(): void
}

/** Pairs are tried until one is free. */
const attempts = 50
/** A key frame sent at once overflows a client's receive buffer: so many packets go together, then a pause. */
const burstPackets = 24
const burstPauseMs = 2

export const openUdpPorts = async (host: string): Promise<UdpPorts> => {
  const [media, control] = await bindPair(host)
  const sockets = [media, control]
  // A client that has gone away answers with ICMP errors; its session ends by its time-out.
  for (const socket of sockets) socket.on('error', () => undefined)
  const listeners = new Set<(address: string, port: number) => void>()
  for (const socket of sockets) {
    socket.on('message', (_, from: RemoteInfo) => {
      for (const listener of listeners) listener(from.address, from.port)
    })
  }
  return {
    ports: [media.address().port, control.address().port],
    transport: (address, ports) => udpTransport([media, control], address, ports),
    onPacket: listener => void listeners.add(listener),
    close() {
      for (const socket of sockets) socket.close()
    },
  }
}

const udpTransport = (
  [media, control]: readonly [UdpSocket, UdpSocket],
  address: string,
  ports: readonly [number, number],
): MediaTransport => {
  let waiting: Buffer[] = []
  let timer: NodeJS.Timeout | undefined
  const drain = (): void => {
    for (const packet of waiting.slice(0, burstPackets)) media.send(packet, ports[0], address, () => undefined)
    waiting = waiting.slice(burstPackets)
    timer = waiting.length > 0 ? setTimeout(drain, burstPauseMs) : undefined
  }
  return {
    kind: 'udp',
    sendMedia(packets) {
      waiting.push(...packets)
      if (timer === undefined) drain()
    },
    sendControl: packet => control.send(packet, ports[1], address, () => undefined),
    backlogBytes: () => waiting.reduce((sum, packet) => sum + packet.length, 0),
    close() {
      clearTimeout(timer)
      waiting = []
    },
  }
}

const bindPair = async (host: string): Promise<readonly [UdpSocket, UdpSocket]> => {
  const bind = async (port: number): Promise<UdpSocket> => {
    const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4')
    try {
      socket.bind(port, host)
      await once(socket, 'listening')
      return socket
    } catch (error) {
      socket.close()
      throw error
    }
  }
  let cause: unknown
  for (let attempt = 0; attempt < attempts; attempt++) {
    const first = await bind(0)
    const { port } = first.address()
    const second = await bind(port % 2 === 0 ? port + 1 : port - 1).catch((error: unknown) => {
      cause = error
      return undefined
    })
    if (second !== undefined) return port % 2 === 0 ? [first, second] : [second, first]
    first.close()
  }
  throw new Error(`No pair of UDP ports is free on ${host}; end other servers, or give an address of this machine.`, {
    cause,
  })
}
