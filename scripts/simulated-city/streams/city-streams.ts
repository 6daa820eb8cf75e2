import { isIPv6 } from 'node:net'
import { networkInterfaces } from 'node:os'
import type { Credentials } from './authentication.js'
import { type CityStream, viewOf } from './city-stream.js'
import { type Clip, readClip } from './clip.js'
import { openControlServer } from './control-server.js'
import type { FaultOrder, ScheduledFault } from './faults.js'
import { createLiveStream, type LiveStream } from './live-stream.js'
import { openRtspServer } from './rtsp-server.js'
import type { StreamSource } from './scenes.js'

export interface CityStreamsOptions {
  /** Files, or clips that are in memory already. */
  readonly sources: readonly (StreamSource | { readonly name: string; readonly clip: Clip; readonly speed?: number })[]
  /** Address to listen on; 127.0.0.1 when absent. `0.0.0.0` serves other machines. */
  readonly host?: string
  /** 0 or absent: any free port. */
  readonly port?: number
  /** The control address is open on the loopback interface alone; absent: none, 0: any free port. */
  readonly controlPort?: number
  /** Scene seconds per second, 1 when absent. */
  readonly speed?: number
  /** Begin again at the end; true when absent. Otherwise a stream ends with BYE and is not found from then on. */
  readonly loop?: boolean
  /**
   * `now`: all streams begin at once, together. `first-viewer`: together, when the first client plays any of them.
   * `by-hand`: together, at `begin()`; until then clients see the first picture, still, and can warm up.
   */
  readonly start?: 'now' | 'first-viewer' | 'by-hand'
  readonly credentials?: Credentials
  readonly faults?: readonly ScheduledFault[]
  readonly sessionTimeoutS?: number
  /** A stream has begun or ended. */
  readonly onChange?: (stream: CityStream) => void
}

export interface CityStreams {
  readonly streams: readonly CityStream[]
  readonly port: number
  /** `http://127.0.0.1:PORT`, when `controlPort` was given. */
  readonly controlUrl: string | undefined
  /** Begins all streams that still wait, at the same moment. */
  begin(): void
  /** Begins a fault now, and returns what ends it. Throws when there is no such stream. */
  fault(name: string, fault: FaultOrder): () => void
  clearFaults(name: string): void
  connections(): number
  /** Resets all connections; may be called again. */
  close(): Promise<void>
}

/** Serves videos as live cameras. Rejects with a sentence for people when a file or an address cannot be used. */
export const startCityStreams = async (options: CityStreamsOptions): Promise<CityStreams> => {
  const { host = '127.0.0.1', speed = 1, loop = true, start = 'now', faults = [] } = options
  const names = options.sources.map(({ name }) => name)
  for (const [index, name] of names.entries()) {
    if (names.indexOf(name) !== index) throw new Error(`Two streams are called "${name}"; give each its own name.`)
  }
  for (const { stream } of faults) {
    if (stream !== '*' && !names.includes(stream))
      throw new Error(`A fault is meant for "${stream}", and the streams are ${names.join(', ')}.`)
  }
  const sources = await Promise.all(
    options.sources.map(async source => ({
      ...source,
      truthFile: 'truthFile' in source ? (source.truthFile ?? null) : null,
      clip: 'clip' in source ? source.clip : await readClip(source.file),
    })),
  )

  const live = new Map<string, LiveStream>()
  const server = await openRtspServer({
    stream: name => live.get(name),
    host,
    port: options.port ?? 0,
    credentials: options.credentials,
    sessionTimeoutS: options.sessionTimeoutS,
  })
  const begin = (): void => {
    const moment = { wallMs: Date.now(), steadyMs: performance.now() }
    for (const stream of live.values()) stream.begin(moment)
  }
  const views = sources.map(({ name, clip, speed: own, truthFile }): CityStream => {
    const stream = createLiveStream({
      name,
      clip,
      speed: own ?? speed,
      loop,
      faults: faults.filter(fault => fault.stream === name || fault.stream === '*'),
      ...(start === 'first-viewer' ? { onFirstViewer: begin } : {}),
    })
    live.set(name, stream)
    const view = viewOf(stream, { url: `rtsp://${reachableAt(host)}:${server.port}/${name}`, loop, truthFile })
    stream.onBegin(() => options.onChange?.(view))
    stream.onEnd(() => options.onChange?.(view))
    return view
  })

  const streamOf = (name: string): LiveStream => {
    const stream = live.get(name)
    if (stream === undefined) throw new Error(`There is no stream "${name}"; the streams are ${names.join(', ')}.`)
    return stream
  }
  const city = {
    streams: views,
    port: server.port,
    begin,
    fault: (name: string, fault: FaultOrder) => streamOf(name).fault(fault),
    clearFaults: (name: string) => streamOf(name).clearFaults(),
    connections: server.connections,
  }
  let closing: Promise<void> | undefined
  const closeStreams = async (): Promise<void> => {
    for (const stream of live.values()) stream.close()
    await server.close()
  }
  try {
    const control = options.controlPort === undefined ? undefined : await openControlServer(city, options.controlPort)
    if (start === 'now') begin()
    return {
      ...city,
      controlUrl: control?.url,
      close() {
        closing ??= Promise.all([control?.close(), closeStreams()]).then(() => undefined)
        return closing
      },
    }
  } catch (error) {
    await closeStreams()
    throw error
  }
}

/** An address that others can use, where the server listens on all of them. */
const reachableAt = (host: string): string => {
  if (host !== '0.0.0.0' && host !== '::') return isIPv6(host) ? `[${host}]` : host
  const addresses = Object.values(networkInterfaces()).flatMap(addresses => addresses ?? [])
  return addresses.find(({ internal, family }) => !internal && family === 'IPv4')?.address ?? '127.0.0.1'
}
