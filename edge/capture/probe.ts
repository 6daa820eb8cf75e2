import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import type { SourceConfig } from '../config/agent-config.js'
import { CaptureError } from './capture-error.js'
import { diagnoseExit } from './diagnosis.js'
import { localPath } from './ffmpeg-arguments.js'
import type { FfmpegTools } from './ffmpeg-tools.js'

export interface ProbedVideo {
  readonly codec: string
  readonly width: number
  readonly height: number
  /** Frames per second of its own; null when the container does not tell. */
  readonly fps: number | null
  /** Null for streams and files that do not tell. */
  readonly durationSeconds: number | null
}

interface ProbeAnswer {
  readonly streams?: readonly {
    readonly codec_name?: string
    readonly width?: number
    readonly height?: number
    readonly avg_frame_rate?: string
    readonly r_frame_rate?: string
  }[]
  readonly format?: { readonly duration?: string }
}

const probeTimeoutMs = 20_000
const fields = 'stream=codec_name,width,height,avg_frame_rate,r_frame_rate:format=duration'

/** Asks ffprobe about a video file. Our own spawn rather than the library's: that one has no time limit. */
export const probeFile = async (path: string, tools: FfmpegTools): Promise<ProbedVideo> => {
  if (!existsSync(path)) throw missing(path)
  const args = ['-v', 'error', '-select_streams', 'v:0', '-show_entries', fields, '-of', 'json', localPath(path)]
  const answer = await new Promise<ProbeAnswer>((resolve, reject) => {
    execFile(tools.ffprobe, args, { timeout: probeTimeoutMs, killSignal: 'SIGKILL' }, (cause, stdout, stderr) => {
      if (cause === null) return resolve(JSON.parse(stdout) as ProbeAnswer)
      reject(notAVideo(path, stderr, cause))
    })
  })
  const stream = answer.streams?.[0]
  if (stream?.width === undefined || stream.height === undefined) throw notAVideo(path, '', undefined)
  const duration = Number(answer.format?.duration)
  return {
    codec: stream.codec_name ?? 'unknown',
    width: stream.width,
    height: stream.height,
    fps: ratio(stream.avg_frame_rate) ?? ratio(stream.r_frame_rate),
    durationSeconds: Number.isFinite(duration) ? duration : null,
  }
}

const ratio = (text: string | undefined): number | null => {
  const [numerator, denominator] = (text ?? '').split('/').map(Number)
  const value = numerator! / denominator!
  return Number.isFinite(value) && value > 0 ? value : null
}

export const missing = (path: string): CaptureError =>
  new CaptureError('source-missing', {
    subject: path,
    message: 'It does not exist',
    hint: 'Check the path; in a configuration it is relative to that file.',
  })

const notAVideo = (path: string, stderr: string, cause: unknown): CaptureError => {
  const lines = stderr.trim().split('\n').filter(Boolean)
  const { message, hint } = diagnoseExit({ lines, pictures: 0, kind: 'file' satisfies SourceConfig['kind'] })
  return new CaptureError('not-a-video', { subject: path, message, hint, cause })
}
