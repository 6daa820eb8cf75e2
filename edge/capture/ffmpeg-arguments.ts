import buildCommand from 'fluent-ffmpeg'
import type { CameraConfig } from '../config/agent-config.js'
import { isAtLeast } from './ffmpeg-tools.js'

/** One start of ffmpeg: pictures as PPM on stdout, messages with their level on stderr, `q` on stdin ends it. */
export interface FfmpegPlan {
  readonly args: readonly string[]
  /** Handed over as file descriptor 3. It holds the address with its credentials, which so stay out of the process list. */
  readonly playlist?: string
}

export interface LiveOptions {
  readonly camera: CameraConfig
  /** From `sourceAddress`, with credentials. */
  readonly location: string
  readonly fps: number
  readonly keyFramesOnly: boolean
  readonly version: readonly [number, number]
}

const messages = (level: 'info' | 'warning') => ['-hide_banner', '-nostats', '-loglevel', `repeat+level+${level}`]
const oneThread = ['-threads', '1', '-filter_threads', '1']
/** ffmpeg's own socket time-out; our watchdog is what counts, this only lets ffmpeg say what was wrong. */
const socketTimeoutUs = '5000000'
const playlistProtocols = 'file,rtsp,rtp,udp,tcp,tls,http,https,httpproxy,crypto,data'

/** A stream as it happens. Frames come as the camera sends them: never doubled, never held back for a later one. */
export const livePlan = (options: LiveOptions): FfmpegPlan => {
  const { camera, version, fps } = options
  const { input, inputOptions, playlist } = liveInput(options)
  const command = buildCommand()
    .input(input)
    .inputOptions(...messages('info'), ...oneThread)
  if (camera.hwaccel !== undefined) command.inputOptions('-hwaccel', camera.hwaccel)
  if (options.keyFramesOnly) command.inputOptions('-skip_frame', 'nokey')
  if (inputOptions.length > 0) command.inputOptions(...inputOptions)
  command
    .noAudio()
    .videoFilters([...(options.keyFramesOnly ? [] : [onePerSlot(fps)]), scaleTo(camera.frame.width)])
    .outputOptions(...passthrough(version), ...pictures)
    .output('pipe:1')
  return { args: command._getArguments(), ...(playlist === undefined ? {} : { playlist }) }
}

/** A file as fast as it can be read, at exactly `fps` frames per second of its own time. */
export const replayPlan = (path: string, width: number, fps: number): FfmpegPlan => {
  const command = buildCommand()
    .input(localPath(path))
    .inputOptions(...messages('warning'), ...oneThread)
    .noAudio()
    .videoFilters([`fps=${fps}`, scaleTo(width)])
    .outputOptions(...pictures)
    .output('pipe:1')
  return { args: command._getArguments() }
}

/** Without a scheme ffmpeg reads `a:b.mp4` as protocol `a`. */
export const localPath = (path: string): string => `file:${path}`

const pictures = ['-sn', '-dn', '-f', 'image2pipe', '-c:v', 'ppm', '-pix_fmt', 'rgb24', '-flush_packets', '1']

/**
 * The first frame of each 1/fps slot. `fps=` would double frames of a slow camera and hold each frame back until the next arrives,
 * which for key frames is seconds; it also costs more (54 against 44 ticks for the same 10 s). A clock that jumps back starts anew.
 */
const onePerSlot = (fps: number): string =>
  `select='isnan(t)+isnan(prev_selected_t)+lt(t\\,prev_selected_t)+gt(floor(t*${fps}+0.5)\\,floor(prev_selected_t*${fps}+0.5))'`

/** Height from the display aspect ratio, so that anamorphic cameras come out right; even. */
const scaleTo = (width: number): string => `scale=${width}:'max(2\\,2*round(${width}/dar/2))'`

const passthrough = (version: readonly [number, number]): string[] =>
  isAtLeast(version, 5, 1) ? ['-fps_mode', 'passthrough'] : ['-vsync', 'passthrough']

interface LiveInput {
  readonly input: string
  readonly inputOptions: readonly string[]
  readonly playlist?: string
}

const liveInput = ({ camera, location, version }: LiveOptions): LiveInput => {
  const { source } = camera
  if (source.kind === 'file') {
    const loop = source.loop ? ['-stream_loop', '-1'] : []
    return { input: localPath(location), inputOptions: ['-re', ...loop] }
  }
  const options = source.kind === 'rtsp' ? rtspOptions(source.transport, version) : mjpegOptions
  // The `option` directive of playlists came with 5.0. Older ones show the address in the process list; the README says so.
  if (!isAtLeast(version, 5))
    return { input: location, inputOptions: options.flatMap(([name, value]) => [`-${name}`, value]) }
  const playlist = [
    'ffconcat version 1.0',
    `file ${quoted(location)}`,
    ...options.map(([name, value]) => `option ${name} ${value}`),
    '',
  ].join('\n')
  return {
    input: '/dev/fd/3',
    inputOptions: ['-f', 'concat', '-safe', '0', '-protocol_whitelist', playlistProtocols],
    playlist,
  }
}

const rtspOptions = (transport: string, version: readonly [number, number]): [string, string][] => [
  ['rtsp_transport', transport],
  [isAtLeast(version, 5) ? 'timeout' : 'stimeout', socketTimeoutUs],
]
/** MJPEG over HTTP carries no times; without the wall clock ffmpeg would believe in 25 frames per second. */
const mjpegOptions: [string, string][] = [
  ['rw_timeout', socketTimeoutUs],
  ['use_wallclock_as_timestamps', '1'],
]

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`
