import { type ChildProcess, spawn } from 'node:child_process'
import { onTestFinished } from 'vitest'
import { makeClip } from '../helpers/clips.js'

export const rampFps = 25
export const rampS = 5
const darkest = 20

/** A clip whose brightness tells the frame: each is one step brighter than the one before. */
export const makeRamp = (path: string, options: { readonly keyFrameEvery?: number } = {}): string =>
  makeClip(path, {
    source: `color=c=black:size=64x48:rate=${rampFps},format=yuv420p,geq=lum=${darkest}+N:cb=128:cr=128`,
    seconds: rampS,
    ...options,
  })

export interface Seen {
  /** Second of the scene that the picture shows. */
  readonly sceneS: number
  /** What the caller's clock said when it arrived. */
  readonly at: number
}

export interface RampViewer {
  readonly seen: Seen[]
  /** Exit code of ffmpeg once it ended by itself. */
  exitCode(): number | null
  messages(): string
}

/** Watches a ramp with ffmpeg as any system would, and tells from each picture where in the clip it is. */
export const watchRamp = (
  url: string,
  options: {
    readonly transport?: 'tcp' | 'udp'
    readonly clock?: () => number
    /** Of a clip other than the ramp. */
    readonly size?: readonly [width: number, height: number]
  } = {},
): RampViewer => {
  const { transport = 'tcp', clock = performance.now.bind(performance), size: [width, height] = [64, 48] } = options
  const bytesPerPicture = width * height
  const source = ['-rtsp_transport', transport, '-i', url]
  const output = [
    '-an',
    '-fps_mode',
    'passthrough',
    '-f',
    'rawvideo',
    '-pix_fmt',
    'gray',
    '-flush_packets',
    '1',
    'pipe:1',
  ]
  const child: ChildProcess = spawn('ffmpeg', ['-v', 'warning', '-threads', '1', ...source, ...output], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const seen: Seen[] = []
  let pending: Buffer = Buffer.alloc(0)
  let messages = ''
  child.stdout?.on('data', chunk => {
    pending = Buffer.concat([pending, chunk])
    while (pending.length >= bytesPerPicture) {
      // ffmpeg spreads 16..235 over 0..255 on the way to grey.
      const brightness = pending.subarray(0, bytesPerPicture).reduce((sum, value) => sum + value, 0) / bytesPerPicture
      const luma = 16 + (brightness * 219) / 255
      seen.push({ sceneS: (luma - darkest) / rampFps, at: clock() })
      pending = pending.subarray(bytesPerPicture)
    }
  })
  child.stderr?.on('data', chunk => {
    messages += chunk
  })
  return { seen, exitCode: () => child.exitCode, messages: () => messages }
}

/** How far `behind` is behind `position` on a clip that repeats, −durationS/2 … durationS/2. */
export const lagS = (position: number, behind: number): number => {
  const difference = (position - behind) % rampS
  if (difference > rampS / 2) return difference - rampS
  return difference < -rampS / 2 ? difference + rampS : difference
}
