import { randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import { type Credentials, challenges, isAuthorised } from './authentication.js'
import { chooseTransport } from './choose-transport.js'
import type { LiveStream } from './live-stream.js'
import { type RtspAnswer, type RtspRequest, rtspReply } from './rtsp-messages.js'
import { sessionDescription, trackName } from './sdp.js'
import { tcpTransport, type UdpPorts } from './transports.js'
import { createViewer, type MediaTransport, type Viewer } from './viewer.js'

export interface RtspSessionOptions {
  readonly socket: Socket
  readonly stream: (name: string) => LiveStream | undefined
  readonly udp: UdpPorts
  readonly credentials?: Credentials | undefined
  /** A client over UDP that is not heard of for this long is gone. */
  readonly timeoutS: number
}

/** What one connection asks for and watches. A connection carries one session, as every client in use does. */
export interface RtspSession {
  answer(request: RtspRequest): void
  /** The client was heard of. */
  touch(): void
  /** Whether this UDP packet comes from the client. */
  isFrom(address: string, port: number): boolean
  close(): void
}

const publicMethods = 'OPTIONS, DESCRIBE, SETUP, PLAY, PAUSE, GET_PARAMETER, SET_PARAMETER, TEARDOWN'
/** Waiting data beyond which a viewer counts as slow: some seconds of video, or this. */
const leastBacklogBytes = 256 * 1024
const backlogS = 2

/** What a request gets, and what happens once the answer is written. */
type Handled = RtspAnswer & { readonly afterwards?: () => void }

export const createRtspSession = (options: RtspSessionOptions): RtspSession => {
  const { socket, udp, credentials, timeoutS } = options
  const nonce = randomBytes(16).toString('hex')
  const sessionId = randomBytes(8).toString('hex')
  const session = ['Session', sessionId] as const
  const address = socket.remoteAddress ?? '127.0.0.1'
  const leave: (() => void)[] = []
  let stream: LiveStream | undefined
  let transport: MediaTransport | undefined
  let viewer: Viewer | undefined
  let clientPorts: readonly [number, number] | undefined
  let heardAtMs = performance.now()
  let drainedAtMs = performance.now()

  const stop = (): void => {
    if (viewer !== undefined) stream?.leave(viewer)
    viewer = undefined
  }
  const detach = (): void => {
    stop()
    for (const end of leave.splice(0)) end()
    transport?.close()
    transport = undefined
    stream = undefined
  }
  /** The first request that names a stream ties the connection to that stream's faults and end. */
  const attach = (found: LiveStream): void => {
    if (stream === found) return
    detach()
    stream = found
    leave.push(
      found.onDrop(() => void socket.resetAndDestroy()),
      found.onEnd(() => void socket.end()),
    )
  }

  const describe = (found: LiveStream, { url }: RtspRequest): Handled => {
    attach(found)
    found.stats.describes++
    const { name, clip, speed } = found
    return {
      status: 200,
      headers: [
        ['Content-Type', 'application/sdp'],
        ['Content-Base', url.replace(/\/?$/, '/')],
      ],
      body: sessionDescription({ name, clip, speed, host: socket.localAddress ?? '127.0.0.1' }),
    }
  }

  const setUp = (found: LiveStream, request: RtspRequest): Handled => {
    if (transport !== undefined && stream !== found) return { status: 459 }
    const chosen = chooseTransport(request.header('Transport') ?? '')
    if (chosen === undefined) return { status: 461 }
    attach(found)
    stop()
    transport?.close()
    const isUdp = chosen.kind === 'udp'
    clientPorts = isUdp ? chosen.pair : undefined
    transport = isUdp ? udp.transport(address, chosen.pair) : tcpTransport(socket, chosen.pair)
    const pair = chosen.pair.join('-')
    const where = isUdp
      ? `RTP/AVP;unicast;client_port=${pair};server_port=${udp.ports.join('-')}`
      : `RTP/AVP/TCP;unicast;interleaved=${pair}`
    return {
      status: 200,
      headers: [
        ['Transport', where],
        ['Session', `${sessionId};timeout=${timeoutS}`],
      ],
    }
  }

  const play = (found: LiveStream, { url }: RtspRequest): Handled => {
    if (stream !== found || transport === undefined) return { status: 455 }
    stop()
    const { clip, speed, stats } = found
    const backlogLimitBytes = Math.max(leastBacklogBytes, (backlogS * speed * clip.bytes) / clip.durationS)
    const joining = createViewer({ transport, backlogLimitBytes, stats })
    const opening = found.opening()
    const first = opening[0]
    const time = first === undefined ? '' : `;rtptime=${joining.timestampOf(first.atS)}`
    stats.plays++
    return {
      status: 200,
      headers: [
        session,
        ['Range', 'npt=now-'],
        ['RTP-Info', `url=${url.replace(/\/?$/, '/')}${trackName};seq=${joining.sequence()}${time}`],
      ],
      afterwards() {
        for (const picture of opening) joining.offer(picture)
        viewer = joining
        found.join(joining)
      },
    }
  }

  const tearDown = (found: LiveStream): Handled => {
    found.stats.teardowns++
    const afterwards = (): void => {
      detach()
      socket.end()
    }
    return { status: 200, headers: [session], afterwards }
  }

  const handle = (found: LiveStream | undefined, request: RtspRequest): Handled => {
    const { method } = request
    if (method === 'OPTIONS') return { status: 200, headers: [['Public', publicMethods]] }
    const refusal = found?.refusal()
    if (refusal === 401 || !isAuthorised(request, nonce, credentials)) {
      const offers = challenges(nonce, credentials?.authentication)
      return { status: 401, headers: offers.map(offer => ['WWW-Authenticate', offer] as const) }
    }
    if (refusal !== undefined) return { status: refusal }
    if (found === undefined || found.state() === 'ended') return { status: 404 }
    const given = request.header('Session')?.split(';')[0]
    if (given !== undefined && given !== sessionId) return { status: 454 }
    switch (method) {
      case 'DESCRIBE':
        return describe(found, request)
      case 'SETUP':
        return setUp(found, request)
      case 'PLAY':
        return play(found, request)
      case 'PAUSE':
        return { status: 200, headers: [session], afterwards: stop }
      case 'TEARDOWN':
        return tearDown(found)
      case 'GET_PARAMETER':
      case 'SET_PARAMETER':
        return { status: 200, headers: [session] }
      case 'ANNOUNCE':
      case 'RECORD':
        return { status: 405, headers: [['Allow', publicMethods]] }
      default:
        return { status: 501 }
    }
  }

  const watch = setInterval(
    () => {
      const now = performance.now()
      if (socket.writableLength === 0) drainedAtMs = now
      // Over TCP a client that reads is alive, whatever it says; many never send anything after PLAY.
      const aliveAtMs = transport?.kind === 'udp' ? heardAtMs : Math.max(heardAtMs, drainedAtMs)
      if (now - aliveAtMs > timeoutS * 1000) socket.destroy()
    },
    (timeoutS * 1000) / 4,
  )

  return {
    answer(request) {
      const name = streamName(request.url)
      // Keep-alives may name no stream, and mean the one that plays.
      const found = name === '' ? stream : options.stream(name)
      if (found?.isDropping()) {
        socket.resetAndDestroy()
        return
      }
      const { afterwards, ...answer } = handle(found, request)
      socket.write(rtspReply(request, answer))
      afterwards?.()
    },
    touch() {
      heardAtMs = performance.now()
    },
    isFrom: (from, port) => clientPorts?.includes(port) === true && plain(from) === plain(address),
    close() {
      clearInterval(watch)
      detach()
    },
  }
}

const plain = (address: string): string => address.replace(/^::ffff:/, '')

/** `rtsp://host:port/name`, with or without the track behind it; empty when there is none (`*`). */
const streamName = (url: string): string => {
  const path = /^rtsp:\/\/[^/]*\/([^/?]*)/i.exec(url)?.[1] ?? ''
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}
