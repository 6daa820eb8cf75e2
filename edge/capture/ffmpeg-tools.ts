import { execFile } from 'node:child_process'
import { CaptureError } from './capture-error.js'

export interface FfmpegTools {
  readonly ffmpeg: string
  readonly ffprobe: string
  /** `[major, minor]`; builds from git count as the newest. */
  readonly version: readonly [number, number]
}

const versionTimeoutMs = 10_000

/** Finds ffmpeg and asks for its version, which decides the names of a few options. `FFMPEG_PATH` and `FFPROBE_PATH` win over the search path. */
export const findFfmpeg = (): Promise<FfmpegTools> => {
  const ffmpeg = process.env.FFMPEG_PATH ?? 'ffmpeg'
  const ffprobe = process.env.FFPROBE_PATH ?? 'ffprobe'
  return new Promise((resolve, reject) => {
    execFile(ffmpeg, ['-version'], { timeout: versionTimeoutMs }, (cause, stdout) => {
      if (cause === null) return resolve({ ffmpeg, ffprobe, version: parseFfmpegVersion(stdout) })
      reject(
        new CaptureError('ffmpeg-missing', {
          subject: ffmpeg,
          message: 'ffmpeg cannot be run',
          hint: 'Install it (Debian: apt install ffmpeg) or set FFMPEG_PATH.',
          cause,
        }),
      )
    })
  })
}

/** `ffmpeg version 5.1.9-0+deb12u1`, `n7.1`, `N-112233-gabcdef` (git). */
export const parseFfmpegVersion = (text: string): readonly [number, number] => {
  const match = /^ffmpeg version n?(\d+)\.(\d+)/.exec(text)
  return match === null ? [99, 0] : [Number(match[1]), Number(match[2])]
}

export const isAtLeast = (version: readonly [number, number], major: number, minor = 0): boolean =>
  version[0] > major || (version[0] === major && version[1] >= minor)
