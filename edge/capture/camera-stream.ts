import { setTimeout as sleep } from 'node:timers/promises'
import type { CameraConfig } from '../config/agent-config.js'
import type { Frame } from '../frames/frame.js'
import { createBackOff } from './back-off.js'
import type { CaptureLog } from './capture-log.js'
import { type ConditionChange, createConditionTracker } from './condition-tracker.js'
import type { CaptureCondition, Diagnosis } from './diagnosis.js'
import { createPrivacyMasks } from './privacy-masks.js'
import { createRateMeter } from './rate-meter.js'
import type { Session, SessionEnd } from './session.js'
import { sourceName } from './source-address.js'

export interface CaptureStatus {
  readonly state: 'connecting' | 'streaming' | 'waiting' | 'ended' | 'stopped'
  readonly condition: CaptureCondition | null
  /** Over the last 10 s. */
  readonly fps: number
  readonly frames: number
  readonly decodeErrors: number
  readonly reconnects: number
  /** Unix milliseconds, UTC; null before the first frame. */
  readonly lastFrameAt: number | null
  /** Decoded bytes received. */
  readonly bytes: number
  readonly keyFramesOnly: boolean
}

export interface CameraStreamOptions {
  readonly camera: CameraConfig
  readonly session: Session
  readonly keyFramesOnly: () => boolean
  readonly now: () => number
  readonly log: CaptureLog
  readonly onFrame: (frame: Frame) => void
  readonly onCondition: (change: ConditionChange) => void
}

export interface CameraStream {
  start(): void
  /** Resolves when the child is gone. */
  stop(): Promise<void>
  status(): CaptureStatus
}

const backOffBaseMs = 500
const backOffCeilingMs = 30_000
/** Pictures must have flowed for so long before the next loss is answered quickly again. */
const steadyConnectionMs = 10_000

/** Whatever it was (no descriptors left, no memory): a camera that is tried again is worth more than one that is given up. */
const unforeseen = (error: Error): Diagnosis => ({
  condition: 'offline',
  message: `The source cannot be read: ${error.message}`.slice(0, 500),
  hint: 'Check that files, memory and processes of this machine are not exhausted; the agent tries again by itself.',
})

/** Keeps one camera connected: session after session, with back-off between them, until it is stopped or the file ends. */
export const createCameraStream = (options: CameraStreamOptions): CameraStream => {
  const { camera, session, now, log } = options
  const subject = { cameraId: camera.id, source: sourceName(camera) }
  const burnMasks = createPrivacyMasks(camera.privacyMasks)
  const backOff = createBackOff({ baseMs: backOffBaseMs, ceilingMs: backOffCeilingMs })
  const rate = createRateMeter()
  const stopping = new AbortController()
  const conditions = createConditionTracker({
    cameraId: camera.id,
    offlineAfterMs: camera.stallSeconds * 1000,
    now,
    emit: options.onCondition,
  })
  let state: CaptureStatus['state'] = 'stopped'
  let running: Promise<void> | undefined
  let [frames, decodeErrors, reconnects, bytes] = [0, 0, 0, 0]
  let lastFrameAt: number | null = null

  const connect = () => {
    let number = 0
    let connectedAt = 0
    return session(
      {
        picture(picture, agoMs) {
          const arrivedAt = now()
          burnMasks(picture)
          if (number++ === 0) {
            connectedAt = performance.now()
            state = 'streaming'
            log.info({ ...subject, width: picture.width, height: picture.height }, 'Pictures arrive')
          }
          if (performance.now() - connectedAt > steadyConnectionMs) backOff.reset()
          frames++
          lastFrameAt = arrivedAt
          rate.mark(performance.now())
          conditions.flowing()
          options.onFrame({
            cameraId: camera.id,
            ...picture,
            takenAt: arrivedAt - agoMs - camera.clockOffsetMs,
            number,
          })
        },
        decodeError(line) {
          // One broken packet makes a dozen lines: the first and then every hundredth are shown, all are counted.
          if (decodeErrors++ % 100 === 0) log.warn({ ...subject, decodeErrors, line }, 'Pictures could not be decoded')
        },
        bytes(count) {
          bytes += count
        },
      },
      stopping.signal,
    )
  }

  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      state = 'connecting'
      const end = await connect().catch((error: Error): SessionEnd => ({ kind: 'lost', diagnosis: unforeseen(error) }))
      if (stopping.signal.aborted) break
      if (end.kind === 'ended') {
        state = 'ended'
        log.info({ ...subject, frames }, 'The source came to its end')
        return
      }
      reconnects++
      if (end.kind === 'decode-all') {
        log.info({ ...subject, because: end.because }, 'Every frame is decoded from now on')
        continue
      }
      conditions.lost(end.diagnosis)
      state = 'waiting'
      const retryInMs = Math.round(backOff.nextMs())
      log.warn({ ...subject, ...end.diagnosis, reconnects, retryInMs }, 'Camera connection lost')
      await sleep(retryInMs, undefined, { signal: stopping.signal }).catch(() => {})
    }
    state = 'stopped'
  }

  return {
    start() {
      running ??= run().catch(err => log.error({ ...subject, err }, 'Capture of this camera failed for good'))
    },
    async stop() {
      stopping.abort()
      conditions.close()
      await running
    },
    status: () => ({
      state,
      condition: conditions.current(),
      fps: rate.perSecond(performance.now()),
      frames,
      decodeErrors,
      reconnects,
      lastFrameAt,
      bytes,
      keyFramesOnly: options.keyFramesOnly(),
    }),
  }
}
