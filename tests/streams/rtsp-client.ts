import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { until } from '../helpers/camera-fixture.js'

export interface RtspResponse {
  readonly status: number
  readonly header: (name: string) => string | undefined
  readonly body: string
}

export interface RtpPacket {
  readonly sequence: number
  readonly timestamp: number
  readonly ssrc: number
  readonly marker: boolean
  /** NAL unit type, or 28 for a fragment. */
  readonly nalType: number
  readonly payload: Buffer
}

/** A client that speaks RTSP word by word, to look at what the server says; pictures are ffmpeg's matter. */
export interface RtspClient {
  readonly socket: Socket
  readonly packets: RtpPacket[]
  /** RTCP compounds as they came. */
  readonly reports: Buffer[]
  request(method: string, headers?: Readonly<Record<string, string>>, url?: string): Promise<RtspResponse>
  /** DESCRIBE, SETUP inside the connection, PLAY. */
  play(): Promise<RtspResponse>
  isClosed(): boolean
}

export const openRtspClient = async (url: string): Promise<RtspClient> => {
  const { hostname, port } = new URL(url.replace('rtsp:', 'http:'))
  const socket = connect(Number(port), hostname)
  await once(socket, 'connect')
  const packets: RtpPacket[] = []
  const reports: Buffer[] = []
  const responses: RtspResponse[] = []
  let closed = false
  let pending: Buffer = Buffer.alloc(0)
  let sent = 0
  socket.on('error', () => undefined)
  socket.on('close', () => {
    closed = true
  })
  socket.on('data', chunk => {
    pending = Buffer.concat([pending, Buffer.from(chunk)])
    for (let taken = take(); taken > 0; taken = take()) pending = pending.subarray(taken)
  })

  const take = (): number => {
    if (pending[0] === 0x24) {
      const end = pending.length < 4 ? Number.POSITIVE_INFINITY : 4 + pending.readUInt16BE(2)
      if (pending.length < end) return 0
      const packet = Buffer.from(pending.subarray(4, end))
      if (pending[1] === 0) packets.push(parseRtp(packet))
      else reports.push(packet)
      return end
    }
    const headEnd = pending.indexOf('\r\n\r\n')
    if (headEnd < 0) return 0
    const head = pending.subarray(0, headEnd).toString()
    const header = (name: string) => new RegExp(`^${name}:\\s*(.*)$`, 'im').exec(head)?.[1]?.trim()
    const end = headEnd + 4 + Number(header('Content-Length') ?? 0)
    if (pending.length < end) return 0
    const body = pending.subarray(headEnd + 4, end).toString()
    responses.push({ status: Number(head.split(' ')[1]), header, body })
    return end
  }

  const request: RtspClient['request'] = async (method, headers = {}, target = url) => {
    const number = ++sent
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
    socket.write(`${method} ${target} RTSP/1.0\r\nCSeq: ${number}\r\n${lines.join('')}\r\n`)
    await until(`an answer to ${method}`, () => responses.length >= number || closed)
    const response = responses[number - 1]
    if (response === undefined) throw new Error(`The connection was closed before ${method} was answered`)
    return response
  }

  return {
    socket,
    packets,
    reports,
    request,
    async play() {
      await request('DESCRIBE', { Accept: 'application/sdp' })
      const setup = await request('SETUP', { Transport: 'RTP/AVP/TCP;unicast;interleaved=0-1' }, `${url}/trackID=0`)
      return request('PLAY', { Session: setup.header('Session')?.split(';')[0] ?? '' })
    },
    isClosed: () => closed,
  }
}

export const parseRtp = (packet: Buffer): RtpPacket => ({
  sequence: packet.readUInt16BE(2),
  timestamp: packet.readUInt32BE(4),
  ssrc: packet.readUInt32BE(8),
  marker: (packet[1]! & 0x80) !== 0,
  nalType: packet[12]! & 31,
  payload: packet.subarray(12),
})

/** The clock of the day and the RTP time stamp of a sender report. */
export const parseReport = (report: Buffer): { readonly wallMs: number; readonly timestamp: number } => ({
  wallMs: (report.readUInt32BE(8) - 2_208_988_800 + report.readUInt32BE(12) / 2 ** 32) * 1000,
  timestamp: report.readUInt32BE(16),
})
