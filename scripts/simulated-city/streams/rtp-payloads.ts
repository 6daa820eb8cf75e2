/** Payload that fits an Ethernet frame with room for headers and tunnels. */
const maxPayloadBytes = 1400
const fuA = 28

/** Cuts the NAL units of one picture into RTP payloads (RFC 6184: single NAL unit packets and FU-A). */
export const rtpPayloads = (nals: readonly Buffer[]): Buffer[] =>
  nals.flatMap(nal => {
    if (nal.length <= maxPayloadBytes) return [nal]
    const indicator = (nal[0]! & 0xe0) | fuA
    const type = nal[0]! & 31
    const step = maxPayloadBytes - 2
    const payloads: Buffer[] = []
    for (let from = 1; from < nal.length; from += step) {
      const isEnd = from + step >= nal.length
      const header = type | (from === 1 ? 0x80 : 0) | (isEnd ? 0x40 : 0)
      payloads.push(Buffer.concat([Buffer.from([indicator, header]), nal.subarray(from, from + step)]))
    }
    return payloads
  })
