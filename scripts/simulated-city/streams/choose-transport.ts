export interface ChosenTransport {
  readonly kind: 'tcp' | 'udp'
  /** Channels inside the connection, or the client's ports: for media, and for RTCP. */
  readonly pair: readonly [media: number, control: number]
}

/** The first of a client's offers that can be served: RTP/AVP over UDP unicast, or inside the connection (RFC 2326, 12.39). */
export const chooseTransport = (header: string): ChosenTransport | undefined => {
  for (const offer of header.split(',')) {
    const [profile = '', ...parameters] = offer.trim().split(';')
    if (parameters.some(parameter => /^multicast$/i.test(parameter))) continue
    if (/^RTP\/AVP\/TCP$/i.test(profile)) return { kind: 'tcp', pair: pairOf('interleaved', parameters) ?? [0, 1] }
    const ports = pairOf('client_port', parameters)
    if (/^RTP\/AVP(\/UDP)?$/i.test(profile) && ports?.every(isPort)) return { kind: 'udp', pair: ports }
  }
  return undefined
}

const pairOf = (name: string, parameters: readonly string[]): readonly [number, number] | undefined => {
  for (const parameter of parameters) {
    const match = new RegExp(`^${name}=(\\d+)(?:-(\\d+))?$`, 'i').exec(parameter.trim())
    if (match !== null) return [Number(match[1]), Number(match[2] ?? Number(match[1]) + 1)]
  }
  return undefined
}

const isPort = (port: number): boolean => port > 0 && port < 65_536
