import type { Socket } from 'node:net'

export interface RtspRequest {
  readonly method: string
  readonly url: string
  header(name: string): string | undefined
}

const reasons: Readonly<Record<number, string>> = {
  200: 'OK',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  454: 'Session Not Found',
  455: 'Method Not Valid in This State',
  459: 'Aggregate Operation Not Allowed',
  461: 'Unsupported Transport',
  501: 'Not Implemented',
  503: 'Service Unavailable',
}

export interface RtspAnswer {
  readonly status: number
  readonly headers?: readonly (readonly [name: string, value: string])[]
  readonly body?: string
}

export const rtspReply = (request: RtspRequest, { status, headers = [], body = '' }: RtspAnswer): string => {
  const lines = [
    `RTSP/1.0 ${status} ${reasons[status] ?? 'Error'}`,
    `CSeq: ${request.header('CSeq') ?? '0'}`,
    'Server: Watchpost simulated city',
    `Date: ${new Date().toUTCString()}`,
    ...headers.map(([name, value]) => `${name}: ${value}`),
    ...(body === '' ? [] : [`Content-Length: ${Buffer.byteLength(body)}`]),
  ]
  return `${lines.join('\r\n')}\r\n\r\n${body}`
}

const dollar = 0x24
/** No request of a client that means well is longer. */
const maxRequestBytes = 64 * 1024

/**
 * Cuts requests out of a connection, and the RTCP packets that a client sends between them (RFC 2326, 10.12).
 * A connection that speaks something else is closed.
 */
export const readRtsp = (
  socket: Socket,
  listeners: { readonly onRequest: (request: RtspRequest) => void; readonly onInterleaved: () => void },
): void => {
  let pending: Buffer = Buffer.alloc(0)
  socket.on('data', chunk => {
    pending = pending.length === 0 ? Buffer.from(chunk) : Buffer.concat([pending, Buffer.from(chunk)])
    while (pending.length > 0 && !socket.destroyed) {
      const taken = pending[0] === dollar ? takeInterleaved() : takeRequest()
      if (taken === 0) break
      pending = pending.subarray(taken)
    }
  })

  const takeInterleaved = (): number => {
    if (pending.length < 4 || pending.length < 4 + pending.readUInt16BE(2)) return 0
    listeners.onInterleaved()
    return 4 + pending.readUInt16BE(2)
  }

  const takeRequest = (): number => {
    const end = pending.indexOf('\r\n\r\n')
    if (end < 0) {
      if (pending.length > maxRequestBytes) socket.destroy()
      return 0
    }
    const [first = '', ...lines] = pending.subarray(0, end).toString().trimStart().split('\r\n')
    const headers = new Map(
      lines.map(line => {
        const colon = line.indexOf(':')
        return [line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()]
      }),
    )
    const total = end + 4 + Number(headers.get('content-length') ?? 0)
    const [method = '', url = '', version = ''] = first.split(' ')
    if (!version.startsWith('RTSP/1') || !(total <= maxRequestBytes)) {
      socket.destroy()
      return 0
    }
    if (pending.length < total) return 0
    listeners.onRequest({ method, url, header: name => headers.get(name.toLowerCase()) })
    return total
  }
}
