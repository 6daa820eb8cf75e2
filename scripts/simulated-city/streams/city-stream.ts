import type { Fault } from './faults.js'
import type { LiveStream } from './live-stream.js'
import type { StreamStats } from './stream-stats.js'

/** A stream as others need to know it; the fields are read anew each time they are asked for. */
export interface CityStream {
  readonly name: string
  readonly url: string
  readonly state: 'waiting' | 'live' | 'ended'
  /**
   * When scene second 0 was shown: `(time − startedAt) × speed` is the scene second of a moment, modulo `durationS` when looped.
   * ISO 8601 with milliseconds; null while the stream still waits.
   */
  readonly startedAt: string | null
  readonly durationS: number
  readonly speed: number
  readonly loop: boolean
  readonly positionS: number
  readonly fps: number
  readonly truthFile: string | null
  readonly stats: StreamStats
  readonly faults: readonly Fault[]
}

export const viewOf = (
  stream: LiveStream,
  { url, loop, truthFile }: { url: string; loop: boolean; truthFile: string | null },
): CityStream => ({
  name: stream.name,
  url,
  get state() {
    return stream.state()
  },
  get startedAt() {
    const startedAtMs = stream.startedAtMs()
    return startedAtMs === undefined ? null : new Date(startedAtMs).toISOString()
  },
  durationS: stream.clip.durationS,
  speed: stream.speed,
  loop,
  get positionS() {
    return Math.round(stream.positionS() * 1000) / 1000
  },
  fps: stream.clip.fps,
  truthFile,
  stats: stream.stats,
  get faults() {
    return stream.faults()
  },
})
