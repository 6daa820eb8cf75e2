import { randomBytes } from 'node:crypto'
import { bye, rtpClockHz, rtpPacket, senderReport } from './rtp-packets.js'
import type { StreamStats } from './stream-stats.js'

/** A picture on its way to all viewers. */
export interface Picture {
  /** `undefined`: this packet is lost on the way. */
  readonly payloads: readonly (Buffer | undefined)[]
  readonly isKey: boolean
  /** On the camera's clock, seconds since the stream was made. */
  readonly atS: number
}

/** The same moment on the camera's clock of the day and on the one that counts pictures. */
export interface CameraTime {
  readonly wallMs: number
  readonly atS: number
}

/** Carries packets to one client. */
export interface MediaTransport {
  readonly kind: 'tcp' | 'udp'
  sendMedia(packets: readonly Buffer[]): void
  sendControl(packet: Buffer): void
  /** What was sent and has not left yet. */
  backlogBytes(): number
  close(): void
}

/** One client that watches a stream. */
export interface Viewer {
  readonly ssrc: number
  /** Number of the next packet. */
  sequence(): number
  timestampOf(atS: number): number
  offer(picture: Picture): void
  /** After a gap: nothing more until the next key frame. */
  awaitKeyFrame(): void
  report(time: CameraTime): void
  /** Says that the stream has ended. */
  end(time: CameraTime): void
}

export const createViewer = (options: {
  readonly transport: MediaTransport
  /** A viewer that has more than this waiting gets whole frames left out until the next key frame. */
  readonly backlogLimitBytes: number
  readonly stats: StreamStats
}): Viewer => {
  const { transport, backlogLimitBytes, stats } = options
  const ssrc = randomBytes(4).readUInt32BE()
  const firstTimestamp = randomBytes(4).readUInt32BE()
  let sequence = randomBytes(2).readUInt16BE()
  let packets = 0
  let octets = 0
  let isAwaitingKey = true

  const timestampOf = (atS: number): number => (firstTimestamp + Math.round(atS * rtpClockHz)) % 2 ** 32
  const report = ({ wallMs, atS }: CameraTime): Buffer =>
    senderReport({ ssrc, wallMs, timestamp: timestampOf(atS), packets, octets })

  return {
    ssrc,
    sequence: () => sequence & 0xffff,
    timestampOf,
    offer(picture) {
      if (isAwaitingKey && !picture.isKey) {
        stats.droppedFrames.awaitingKeyFrame++
        return
      }
      if (transport.backlogBytes() > backlogLimitBytes) {
        isAwaitingKey = true
        stats.droppedFrames.slowViewer++
        return
      }
      isAwaitingKey = false
      const timestamp = timestampOf(picture.atS)
      const sent: Buffer[] = []
      for (const [index, payload] of picture.payloads.entries()) {
        const number = sequence++
        if (payload === undefined) continue
        const marker = index === picture.payloads.length - 1
        sent.push(rtpPacket(payload, { sequence: number, timestamp, ssrc, marker }))
        octets += payload.length
      }
      transport.sendMedia(sent)
      packets += sent.length
      stats.sentFrames++
      stats.sentBytes += sent.reduce((sum, packet) => sum + packet.length, 0)
    },
    awaitKeyFrame() {
      isAwaitingKey = true
    },
    report: time => {
      if (packets > 0) transport.sendControl(report(time))
    },
    end: time => transport.sendControl(Buffer.concat([report(time), bye(ssrc)])),
  }
}
