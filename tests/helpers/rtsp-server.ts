import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import type { H264Clip } from './clips.js'
import { createPacketiser } from './rtp-packets.js'

export interface RtspStream {
  readonly clip: H264Clip
  readonly fps?: number
}

export interface RtspServerOptions {
  /** By path without the slash: `rtsp://host/cam1` is `cam1`. Clips loop for ever. */
  readonly streams: Readonly<Record<string, RtspStream>>
  readonly username?: string
  readonly password?: string
  readonly authentication?: 'basic' | 'digest'
  /** 0: any free port. */
  readonly port?: number
}

/** An RTSP/1.0 server for tests: H.264 over the RTSP connection, looping clips, and the faults of real cameras on demand. */
export interface RtspServer {
  readonly port: number
  readonly url: (path: string) => string
  readonly stats: { describes: number; plays: number; teardowns: number; sentFrames: number }
  /** No media any more, while connections stay open and RTSP still answers. */
  stall(): void
  resume(): void
  /** Media turns into random bytes of the right length. */
  garbage(on: 'on' | 'off'): void
  /** Answers DESCRIBE with this status (401, 404, 503 ...); undefined: as usual. */
  answer(status: number | undefined): void
  /** Resets all connections. */
  drop(): void
  connections(): number
  close(): Promise<void>
}

const realm = 'camera'
const reasons: Record<number, string> = {
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  503: 'Service Unavailable',
}

interface Request {
  readonly method: string
  readonly url: string
  readonly header: (name: string) => string | undefined
}

export const startRtspServer = async (options: RtspServerOptions): Promise<RtspServer> => {
  const sockets = new Set<Socket>()
  const stats = { describes: 0, plays: 0, teardowns: 0, sentFrames: 0 }
  const faults = { stalled: false, garbage: false, status: undefined as number | undefined }

  const server = createServer(socket => {
    sockets.add(socket)
    socket.setNoDelay(true)
    const nonce = randomBytes(8).toString('hex')
    const session = randomBytes(4).toString('hex')
    let timer: NodeJS.Timeout | undefined
    socket.on('error', () => {})
    socket.on('close', () => {
      clearInterval(timer)
      sockets.delete(socket)
    })

    onRequest(socket, request => {
      const { method, url } = request
      const reply = (status: number, headers: Record<string, string> = {}, body = ''): void => {
        const lines = [
          `RTSP/1.0 ${status} ${reasons[status] ?? 'OK'}`,
          `CSeq: ${request.header('CSeq') ?? '0'}`,
          ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
          ...(body === '' ? [] : [`Content-Length: ${Buffer.byteLength(body)}`]),
        ]
        socket.write(`${lines.join('\r\n')}\r\n\r\n${body}`)
      }
      if (method === 'OPTIONS') return reply(200, { Public: 'OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, TEARDOWN' })
      if (!isAuthorised(request, nonce, options)) {
        const challenge =
          options.authentication === 'digest' ? `Digest realm="${realm}", nonce="${nonce}"` : `Basic realm="${realm}"`
        return reply(401, { 'WWW-Authenticate': challenge })
      }
      if (faults.status !== undefined) return reply(faults.status)
      const path = /^rtsp:\/\/[^/]+\/([^/?]+)/.exec(url)?.[1] ?? ''
      const stream = options.streams[path]
      if (stream === undefined) return reply(404)
      switch (method) {
        case 'DESCRIBE':
          stats.describes++
          return reply(
            200,
            { 'Content-Type': 'application/sdp', 'Content-Base': `${url.replace(/\/?$/, '/')}` },
            sdpOf(stream),
          )
        case 'SETUP':
          if (!/TCP/i.test(request.header('Transport') ?? '')) return reply(461)
          return reply(200, { Transport: 'RTP/AVP/TCP;unicast;interleaved=0-1', Session: `${session};timeout=60` })
        case 'PLAY':
          stats.plays++
          reply(200, { Session: session, Range: 'npt=0.000-' })
          clearInterval(timer)
          timer = play(socket, stream)
          return
        case 'TEARDOWN':
          stats.teardowns++
          reply(200, { Session: session })
          socket.end()
          return
        default:
          return reply(200, { Session: session })
      }
    })
  })

  const play = (socket: Socket, { clip, fps = 25 }: RtspStream): NodeJS.Timeout => {
    const packetise = createPacketiser(randomBytes(4).readUInt32BE(0))
    const startedAt = performance.now()
    let sent = 0
    return setInterval(() => {
      const due = Math.floor(((performance.now() - startedAt) / 1000) * fps)
      for (; sent < due; sent++) {
        if (faults.stalled) continue
        const unit = clip.accessUnits[sent % clip.accessUnits.length]!
        const nals = faults.garbage ? unit.nals.map(nal => randomBytes(nal.length)) : unit.nals
        socket.cork()
        for (const packet of packetise(nals, Math.round((sent * 90_000) / fps))) socket.write(packet)
        socket.uncork()
        stats.sentFrames++
      }
    }, 1000 / fps)
  }

  server.listen(options.port ?? 0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const drop = (): void => {
    for (const socket of sockets) socket.resetAndDestroy()
  }
  return {
    port,
    url: path => `rtsp://127.0.0.1:${port}/${path}`,
    stats,
    stall: () => {
      faults.stalled = true
    },
    resume: () => {
      faults.stalled = false
    },
    garbage: on => {
      faults.garbage = on === 'on'
    },
    answer: status => {
      faults.status = status
    },
    drop,
    connections: () => sockets.size,
    async close() {
      drop()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

/** Cuts requests out of the connection, over RTCP packets that the client sends in between. */
const onRequest = (socket: Socket, listener: (request: Request) => void): void => {
  let pending: Buffer = Buffer.alloc(0)
  socket.on('data', chunk => {
    pending = Buffer.concat([pending, chunk])
    for (;;) {
      if (pending[0] === 0x24) {
        if (pending.length < 4 || pending.length < 4 + pending.readUInt16BE(2)) return
        pending = pending.subarray(4 + pending.readUInt16BE(2))
        continue
      }
      const end = pending.indexOf('\r\n\r\n')
      if (end < 0) return
      const head = pending.subarray(0, end).toString()
      const header = (name: string) => new RegExp(`^${name}:\\s*(.*)$`, 'im').exec(head)?.[1]?.trim()
      const total = end + 4 + Number(header('Content-Length') ?? 0)
      if (pending.length < total) return
      pending = pending.subarray(total)
      const [method = '', url = ''] = head.split(' ')
      listener({ method, url, header })
    }
  })
}

const md5 = (text: string): string => createHash('md5').update(text).digest('hex')

const isAuthorised = (request: Request, nonce: string, options: RtspServerOptions): boolean => {
  if (options.username === undefined) return true
  const given = request.header('Authorization') ?? ''
  const { username, password = '' } = options
  if (options.authentication !== 'digest') {
    return given === `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
  }
  const field = (name: string) => new RegExp(`${name}="([^"]*)"`).exec(given)?.[1] ?? ''
  const expected = md5(
    `${md5(`${username}:${realm}:${password}`)}:${nonce}:${md5(`${request.method}:${field('uri')}`)}`,
  )
  return field('username') === username && field('response') === expected
}

const sdpOf = ({ clip, fps = 25 }: RtspStream): string =>
  [
    'v=0',
    'o=- 1 1 IN IP4 127.0.0.1',
    's=test',
    't=0 0',
    'a=control:*',
    'm=video 0 RTP/AVP 96',
    'c=IN IP4 0.0.0.0',
    'a=rtpmap:96 H264/90000',
    `a=framerate:${fps}`,
    `a=fmtp:96 packetization-mode=1;profile-level-id=${clip.sps.subarray(1, 4).toString('hex')};sprop-parameter-sets=${clip.sps.toString('base64')},${clip.pps.toString('base64')}`,
    'a=control:trackID=0',
    '',
  ].join('\r\n')
