import { statSync } from 'node:fs'
import type { CameraConfig, SourceConfig } from '../config/agent-config.js'
import type { Frame } from '../frames/frame.js'
import { CaptureError } from './capture-error.js'
import { captureFps } from './capture-fps.js'
import { diagnoseExit } from './diagnosis.js'
import { replayPlan } from './ffmpeg-arguments.js'
import { startFfmpeg } from './ffmpeg-child.js'
import { readMessages } from './ffmpeg-messages.js'
import { type FfmpegTools, findFfmpeg } from './ffmpeg-tools.js'
import { nothingDecoded } from './folder-session.js'
import { createPictureAssembler, type Picture } from './picture-assembler.js'
import { listPictures, readPicture } from './picture-files.js'
import { createPrivacyMasks } from './privacy-masks.js'
import { missing, probeFile } from './probe.js'

export interface ReplayOptions {
  /** The time of the first frame, Unix milliseconds, UTC. */
  readonly startedAt: number
  readonly signal?: AbortSignal
}

/** Frames per second below which a container's own figure is not believed. */
const slowestFps = 0.01

/** A file or folder as a replayable source; rejects with a hint when there is nothing at `path`. */
export const replaySource = (path: string): SourceConfig => {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (stat === undefined) throw missing(path)
  return stat.isDirectory() ? { kind: 'folder', path, fps: 1, loop: false } : { kind: 'file', path, loop: false }
}

/**
 * All frames of a recording at the camera's cadence, as fast as they are taken and no faster: ffmpeg waits while the consumer is busy.
 * Frame n is taken at `startedAt + n / fps`, whatever the speed of this machine. A source that cannot be read, or holds no frame, rejects
 * with a `CaptureError`; one that breaks in the middle rejects after the frames before the break.
 */
export async function* replayFrames(
  source: SourceConfig,
  camera: CameraConfig,
  options: ReplayOptions,
): AsyncGenerator<Frame, void, void> {
  const burnMasks = createPrivacyMasks(camera.privacyMasks)
  const { fps, pictures } = await openRecording(source, camera, options.signal)
  let number = 0
  for await (const picture of pictures) {
    if (options.signal?.aborted) return
    burnMasks(picture)
    const takenAt = options.startedAt + Math.round((number * 1000) / fps)
    number++
    yield { cameraId: camera.id, ...picture, takenAt, number }
  }
}

interface Recording {
  readonly fps: number
  readonly pictures: AsyncIterable<Picture>
}

const openRecording = async (source: SourceConfig, camera: CameraConfig, signal?: AbortSignal): Promise<Recording> => {
  const wantedFps = captureFps(camera)
  if (source.kind === 'folder') {
    const fps = Math.min(source.fps, wantedFps)
    const files = await listPictures(source.path)
    return { fps, pictures: folderPictures(source.path, files, source.fps / fps, camera.frame.width) }
  }
  if (source.kind !== 'file') {
    throw new CaptureError('unsupported-source', {
      subject: source.kind,
      message: 'Only files and folders can be replayed',
      hint: 'Record the stream first, e.g. ffmpeg -i URL -c copy -t 60 recording.mp4.',
    })
  }
  const tools = await findFfmpeg()
  const video = await probeFile(source.path, tools)
  // A cadence above the file's own would only double frames.
  const fps = video.fps !== null && video.fps >= slowestFps ? Math.min(wantedFps, video.fps) : wantedFps
  return { fps, pictures: filePictures(source.path, camera.frame.width, fps, tools, signal) }
}

async function* filePictures(
  path: string,
  width: number,
  fps: number,
  tools: FfmpegTools,
  signal?: AbortSignal,
): AsyncGenerator<Picture> {
  const child = startFfmpeg(tools.ffmpeg, replayPlan(path, width, fps))
  const messages = readMessages(child.stderr, [])
  const assembler = createPictureAssembler()
  const abort = (): void => void child.kill()
  signal?.addEventListener('abort', abort, { once: true })
  let pictures = 0
  try {
    // Reading by iteration is the back-pressure: the pipe fills and ffmpeg blocks on it.
    for await (const chunk of child.stdout) {
      for (const picture of assembler.push(chunk as Buffer)) {
        pictures++
        yield picture
      }
    }
    const exit = await child.closed
    if (signal?.aborted || (exit.code === 0 && pictures > 0)) return
    const { message, hint } = diagnoseExit({ lines: messages.lines(), pictures, kind: 'file' })
    const code = pictures > 0 ? 'source-broken' : 'not-a-video'
    throw new CaptureError(code, { subject: path, message, hint, cause: exit.error })
  } finally {
    signal?.removeEventListener('abort', abort)
    await child.kill()
  }
}

async function* folderPictures(
  folder: string,
  files: readonly string[],
  step: number,
  width: number,
): AsyncGenerator<Picture> {
  let decoded = 0
  let last: Picture | undefined
  for (let index = 0; index < files.length; index += step) {
    try {
      last = (await readPicture(files[Math.floor(index)]!, width)).picture
      decoded++
    } catch {
      // A broken picture keeps its place in time: the one before is shown again, as a decoder would.
      if (last === undefined) continue
      last = { ...last, pixels: copyOf(last.pixels) }
    }
    yield last
  }
  if (decoded === 0) throw nothingDecoded(folder)
}

const copyOf = (pixels: Uint8Array): Uint8Array<SharedArrayBuffer> => {
  const copy = new Uint8Array(new SharedArrayBuffer(pixels.length))
  copy.set(pixels)
  return copy
}
