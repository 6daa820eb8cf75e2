import type { Clip } from '../../scripts/simulated-city/streams/clip.js'
import { startCityStreams } from '../../scripts/simulated-city/streams/city-streams.js'

export interface RtspServerOptions {
  /** By path without the slash: `rtsp://host/cam1` is `cam1`. Clips loop for ever. */
  readonly streams: Readonly<Record<string, { readonly clip: Clip }>>
  readonly username?: string
  readonly password?: string
  readonly authentication?: 'basic' | 'digest'
  /** 0: any free port. */
  readonly port?: number
}

/** The simulated city's server with a few clips, and the faults that tests want on all of its streams at once. */
export interface RtspServer {
  readonly port: number
  readonly url: (path: string) => string
  describes(): number
  /** No media any more, while connections stay open and RTSP still answers. */
  stall(): void
  resume(): void
  /** Every packet arrives damaged. */
  garbage(on: 'on' | 'off'): void
  /** Answers with this status (401, 404, 503 ...). */
  answer(status: number): void
  /** Resets all connections. */
  drop(): void
  close(): Promise<void>
}

export const startRtspServer = async (options: RtspServerOptions): Promise<RtspServer> => {
  const { username: user, password = '', authentication = 'basic' } = options
  const city = await startCityStreams({
    sources: Object.entries(options.streams).map(([name, { clip }]) => ({ name, clip })),
    port: options.port ?? 0,
    ...(user === undefined ? {} : { credentials: { user, password, authentication } }),
  })
  const names = city.streams.map(({ name }) => name)
  const endAll = (): void => {
    for (const name of names) city.clearFaults(name)
  }
  const beginAll = (fault: Parameters<typeof city.fault>[1]): void => {
    for (const name of names) city.fault(name, fault)
  }
  return {
    port: city.port,
    url: path => `rtsp://127.0.0.1:${city.port}/${path}`,
    describes: () => city.streams.reduce((sum, { stats }) => sum + stats.describes, 0),
    stall: () => beginAll({ kind: 'stall' }),
    resume: endAll,
    garbage: on => (on === 'on' ? beginAll({ kind: 'corrupt', rate: 1 }) : endAll()),
    answer: status => beginAll({ kind: 'refuse', status }),
    drop: () => beginAll({ kind: 'drop' }),
    close: city.close,
  }
}
