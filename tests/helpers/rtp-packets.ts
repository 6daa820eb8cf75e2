const rtpHeaderBytes = 12
const interleavedHeaderBytes = 4
/** Payload that fits an Ethernet frame with room to spare. */
const maxPayloadBytes = 1400
const fuA = 28

/** Packs NAL units into RTP (RFC 6184: single NAL or FU-A), framed for RTSP's TCP connection (RFC 2326, 10.12). */
export const createPacketiser = (
  ssrc: number,
  payloadType = 96,
): ((nals: readonly Buffer[], time90k: number) => Buffer[]) => {
  let sequence = 0

  const packet = (parts: readonly Buffer[], time90k: number, isLast: boolean): Buffer => {
    const header = Buffer.alloc(interleavedHeaderBytes + rtpHeaderBytes)
    const payloadBytes = parts.reduce((sum, part) => sum + part.length, 0)
    header[0] = 0x24
    header.writeUInt16BE(rtpHeaderBytes + payloadBytes, 2)
    header[4] = 0x80
    header[5] = payloadType | (isLast ? 0x80 : 0)
    header.writeUInt16BE(sequence++ & 0xffff, 6)
    header.writeUInt32BE(time90k >>> 0, 8)
    header.writeUInt32BE(ssrc, 12)
    return Buffer.concat([header, ...parts])
  }

  return (nals, time90k) =>
    nals.flatMap((nal, index) => {
      const isLastNal = index === nals.length - 1
      if (nal.length <= maxPayloadBytes) return [packet([nal], time90k, isLastNal)]
      const indicator = (nal[0]! & 0xe0) | fuA
      const type = nal[0]! & 31
      const step = maxPayloadBytes - 2
      const packets: Buffer[] = []
      for (let from = 1; from < nal.length; from += step) {
        const isEnd = from + step >= nal.length
        const fuHeader = type | (from === 1 ? 0x80 : 0) | (isEnd ? 0x40 : 0)
        packets.push(
          packet([Buffer.from([indicator, fuHeader]), nal.subarray(from, from + step)], time90k, isLastNal && isEnd),
        )
      }
      return packets
    })
}
