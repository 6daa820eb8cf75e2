import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import type { Credentials } from './authentication.js'
import type { LiveStream } from './live-stream.js'
import { readRtsp } from './rtsp-messages.js'
import { createRtspSession, type RtspSession } from './rtsp-session.js'
import { openUdpPorts } from './transports.js'

export interface RtspServer {
  readonly port: number
  connections(): number
  close(): Promise<void>
}

/** A client that sends requests and never reads the answers is cut off here. */
const maxUnreadBytes = 8 * 1024 * 1024
const defaultTimeoutS = 60

/** RTSP/1.0 (RFC 2326) for live H.264: over UDP and inside the connection. Rejects when the port is taken. */
export const openRtspServer = async (options: {
  readonly stream: (name: string) => LiveStream | undefined
  readonly host: string
  /** 0: any free port. */
  readonly port: number
  readonly credentials?: Credentials | undefined
  readonly sessionTimeoutS?: number | undefined
}): Promise<RtspServer> => {
  const { stream, host, credentials, sessionTimeoutS: timeoutS = defaultTimeoutS } = options
  const udp = await openUdpPorts(host)
  const sockets = new Set<Socket>()
  const sessions = new Set<RtspSession>()
  udp.onPacket((address, port) => {
    for (const session of sessions) if (session.isFrom(address, port)) session.touch()
  })

  const server = createServer(socket => {
    sockets.add(socket)
    socket.setNoDelay(true)
    const session = createRtspSession({ socket, stream, udp, credentials, timeoutS })
    sessions.add(session)
    // A reset by the client is an everyday end of a connection; `close` follows.
    socket.on('error', () => undefined)
    socket.on('close', () => {
      session.close()
      sessions.delete(session)
      sockets.delete(socket)
    })
    readRtsp(socket, {
      onInterleaved: session.touch,
      onRequest: request => {
        session.touch()
        if (socket.writableLength > maxUnreadBytes) socket.destroy()
        else session.answer(request)
      },
    })
  })
  try {
    server.listen(options.port, host)
    await once(server, 'listening')
  } catch (error) {
    udp.close()
    throw error
  }
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => sockets.size,
    async close() {
      for (const socket of sockets) socket.resetAndDestroy()
      await new Promise(resolve => server.close(resolve))
      udp.close()
    },
  }
}
