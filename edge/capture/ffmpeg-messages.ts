import type { Readable } from 'node:stream'
import { redact } from './redact.js'

/** What ffmpeg found out about the video before its first picture. */
export interface FoundVideo {
  readonly codec: string
  readonly fps: number
}

export interface FfmpegMessages {
  /** The last lines, oldest first, without credentials. */
  lines(): readonly string[]
  /** Calls the listener for each line that says a picture could not be decoded. */
  onDecodeError(listener: (line: string) => void): void
  /** Null until ffmpeg has said it, and where it could not tell. */
  video(): FoundVideo | null
}

const keptLines = 30
const longestLine = 2_000
/** `[h264 @ 0x55d] [error] error while decoding MB 3 4`: an error of a decoder, not of a protocol or container. */
const decoderError =
  /^\[(?:h264|hevc|av1|libdav1d|vp8|vp9|mpeg4|mpeg2video|mpeg1video|mjpeg|png|\w+_(?:cuvid|qsv|v4l2m2m|vaapi)) @ [^\]]+\] \[(?:error|fatal|panic)\]/
const decodingFailed =
  /Error while decoding stream|Error submitting (?:a )?packet to (?:the )?decoder|Decode error rate/

const infoLine = /(?:^|\] )\[info\] /
const videoLine = /Stream #0:\d+.*: Video: (\w+).*, (\d+(?:\.\d+)?) fps\b/

/** Reads stderr to its end (a full pipe would block ffmpeg), keeps the last lines and counts decode errors. */
export const readMessages = (stderr: Readable, secrets: readonly string[]): FfmpegMessages => {
  const kept: string[] = []
  let rest = ''
  let decodeError: (line: string) => void = () => {}
  let video: FoundVideo | null = null

  const take = (raw: string): void => {
    const line = redact(raw.slice(0, longestLine), secrets).trim()
    if (line === '') return
    if (infoLine.test(line)) {
      // The first is the source; the pictures that are made of it come later.
      const [, codec, fps] = videoLine.exec(line) ?? []
      if (codec !== undefined && Number(fps) > 0) video ??= { codec, fps: Number(fps) }
      return
    }
    if (decoderError.test(line) || decodingFailed.test(line)) {
      decodeError(line)
      return
    }
    kept.push(line)
    if (kept.length > keptLines) kept.shift()
  }

  stderr.setEncoding('utf8')
  stderr.on('data', (text: string) => {
    const parts = (rest + text).split(/[\r\n]+/)
    rest = (parts.pop() ?? '').slice(-longestLine)
    for (const part of parts) take(part)
  })
  stderr.on('end', () => take(rest))
  stderr.on('error', () => {})

  return {
    lines: () => kept,
    onDecodeError(listener) {
      decodeError = listener
    },
    video: () => video,
  }
}
