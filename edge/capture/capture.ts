import { join } from 'node:path'
import type { CameraConfig } from '../config/agent-config.js'
import type { Frame } from '../frames/frame.js'
import { type CameraStream, type CaptureStatus, createCameraStream } from './camera-stream.js'
import type { CaptureLog } from './capture-log.js'
import { createChildRegister } from './child-register.js'
import type { ConditionChange } from './condition-tracker.js'
import type { Spawn } from './ffmpeg-child.js'
import { ffmpegSession } from './ffmpeg-session.js'
import { type FfmpegTools, findFfmpeg } from './ffmpeg-tools.js'
import { folderSession } from './folder-session.js'
import { createKeyFramePolicy } from './key-frame-policy.js'

export interface CaptureOptions {
  readonly log: CaptureLog
  /** Process identities of running children are kept in `<dataDir>/capture`. */
  readonly dataDir: string
  readonly spawn?: Spawn
  /** Unix milliseconds, UTC. */
  readonly clock?: () => number
}

export interface Capture {
  /** One listener; frames of all cameras, each as soon as it is complete. */
  onFrame(listener: (frame: Frame) => void): void
  /** One listener; offline, unauthorised, not-a-video, stalled: debounced. */
  onCondition(listener: (change: ConditionChange) => void): void
  /** Resolves when capturing began; rejects only when ffmpeg cannot be run at all. Cameras that are away are no error. */
  start(): Promise<void>
  /** Resolves when no child is left, after at most about 3 s. */
  stop(): Promise<void>
  /** Undefined for an unknown camera. */
  status(cameraId: string): CaptureStatus | undefined
}

const stopped: CaptureStatus = {
  state: 'stopped',
  condition: null,
  fps: 0,
  frames: 0,
  decodeErrors: 0,
  reconnects: 0,
  lastFrameAt: null,
  bytes: 0,
  keyFramesOnly: false,
}

/** One ffmpeg per camera. Cameras fail and recover one by one; none waits for another. */
export const createCapture = (cameras: readonly CameraConfig[], options: CaptureOptions): Capture => {
  const { log, dataDir, clock = Date.now } = options
  const children = createChildRegister(join(dataDir, 'capture'), log)
  const streams = new Map<string, CameraStream>()
  let onFrame: (frame: Frame) => void = () => {}
  let onCondition: (change: ConditionChange) => void = () => {}

  const streamOf = (camera: CameraConfig, tools: FfmpegTools): CameraStream => {
    const policy = createKeyFramePolicy(camera)
    return createCameraStream({
      camera,
      session:
        camera.source.kind === 'folder'
          ? folderSession(camera)
          : ffmpegSession({ camera, tools, policy, children, spawn: options.spawn }),
      keyFramesOnly: policy.keyFramesOnly,
      now: clock,
      log,
      onFrame: frame => onFrame(frame),
      onCondition: change => onCondition(change),
    })
  }

  return {
    onFrame(listener) {
      onFrame = listener
    },
    onCondition(listener) {
      onCondition = listener
    },
    async start() {
      const tools = await findFfmpeg()
      children.sweep()
      for (const camera of cameras) {
        const stream = streamOf(camera, tools)
        streams.set(camera.id, stream)
        stream.start()
      }
    },
    async stop() {
      await Promise.all([...streams.values()].map(stream => stream.stop()))
    },
    status: cameraId =>
      streams.get(cameraId)?.status() ?? (cameras.some(camera => camera.id === cameraId) ? stopped : undefined),
  }
}
