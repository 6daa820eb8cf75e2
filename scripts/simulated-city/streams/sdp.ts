import type { Clip } from './clip.js'
import { rtpClockHz, rtpPayloadType } from './rtp-packets.js'

export const trackName = 'trackID=0'

/** RFC 4566 and RFC 6184, 8.2: what a client must know before the first picture. */
export const sessionDescription = (options: { name: string; clip: Clip; speed: number; host: string }): string => {
  const { name, clip, speed, host } = options
  const family = host.includes(':') ? 'IP6' : 'IP4'
  const sets = [clip.sps, clip.pps].map(set => set.toString('base64')).join(',')
  const profile = clip.sps.subarray(1, 4).toString('hex')
  return [
    'v=0',
    `o=- 1 1 IN ${family} ${host}`,
    `s=${name}`,
    `c=IN ${family} ${family === 'IP6' ? '::' : '0.0.0.0'}`,
    't=0 0',
    'a=control:*',
    'a=range:npt=now-',
    `m=video 0 RTP/AVP ${rtpPayloadType}`,
    `a=rtpmap:${rtpPayloadType} H264/${rtpClockHz}`,
    `a=fmtp:${rtpPayloadType} packetization-mode=1;profile-level-id=${profile};sprop-parameter-sets=${sets}`,
    `a=framerate:${clip.fps * speed}`,
    `a=control:${trackName}`,
    '',
  ].join('\r\n')
}
