export const rtpPayloadType = 96
export const rtpClockHz = 90_000

interface RtpHeader {
  readonly sequence: number
  readonly timestamp: number
  readonly ssrc: number
  /** The last packet of a picture. */
  readonly marker: boolean
}

/** RFC 3550, 5.1. */
export const rtpPacket = (payload: Buffer, { sequence, timestamp, ssrc, marker }: RtpHeader): Buffer => {
  const packet = Buffer.allocUnsafe(12 + payload.length)
  packet[0] = 0x80
  packet[1] = rtpPayloadType | (marker ? 0x80 : 0)
  packet.writeUInt16BE(sequence & 0xffff, 2)
  packet.writeUInt32BE(timestamp >>> 0, 4)
  packet.writeUInt32BE(ssrc, 8)
  payload.copy(packet, 12)
  return packet
}

/** Seconds from 1900, where NTP begins, to 1970. */
const ntpEpochS = 2_208_988_800

interface SenderReport {
  readonly ssrc: number
  /** The same moment twice: on the camera's clock, and as an RTP time stamp. */
  readonly wallMs: number
  readonly timestamp: number
  readonly packets: number
  readonly octets: number
}

/** A sender report with the CNAME that RFC 3550, 6.1 wants beside it. */
export const senderReport = ({ ssrc, wallMs, timestamp, packets, octets }: SenderReport): Buffer => {
  const report = Buffer.alloc(28)
  report[0] = 0x80
  report[1] = 200
  report.writeUInt16BE(6, 2)
  report.writeUInt32BE(ssrc, 4)
  const wallS = Math.floor(wallMs / 1000)
  report.writeUInt32BE((wallS + ntpEpochS) % 2 ** 32, 8)
  report.writeUInt32BE(Math.floor((wallMs / 1000 - wallS) * 2 ** 32), 12)
  report.writeUInt32BE(timestamp >>> 0, 16)
  report.writeUInt32BE(packets % 2 ** 32, 20)
  report.writeUInt32BE(octets % 2 ** 32, 24)
  return Buffer.concat([report, description(ssrc, 'simulated-city')])
}

export const bye = (ssrc: number): Buffer => {
  const packet = Buffer.alloc(8)
  packet[0] = 0x81
  packet[1] = 203
  packet.writeUInt16BE(1, 2)
  packet.writeUInt32BE(ssrc, 4)
  return packet
}

const description = (ssrc: number, name: string): Buffer => {
  // Header, SSRC, item type and length, name, and at least one zero that ends the list; whole words.
  const bytes = Math.ceil((4 + 4 + 2 + name.length + 1) / 4) * 4
  const packet = Buffer.alloc(bytes)
  packet[0] = 0x81
  packet[1] = 202
  packet.writeUInt16BE(bytes / 4 - 1, 2)
  packet.writeUInt32BE(ssrc, 4)
  packet[8] = 1
  packet[9] = name.length
  packet.write(name, 10, 'ascii')
  return packet
}
