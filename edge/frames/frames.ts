import type { CameraConfig } from '../config/agent-config.js'
import { createCadence } from './cadence.js'
import type { Frame } from './frame.js'

/** What one analytic of one camera is given. */
export interface ReadyFrame {
  readonly cameraId: string
  readonly analyticId: string
  readonly frame: Frame
  /** The first frame since the camera (re)connected: analytics and trackers start anew before it. */
  readonly isFirstOfConnection: boolean
}

export type DropReason = 'newer-frame' | 'consumer-failed' | 'stopped'

/** `due = delivered + dropped + pending` holds at all times; frames between two cadence points are `skipped`, not dropped. */
export interface SlotCounters {
  readonly due: number
  readonly skipped: number
  readonly delivered: number
  readonly dropped: Readonly<Partial<Record<DropReason, number>>>
  readonly pending: number
}

export interface Frames {
  /** Called by capture; never blocks. Frames of unknown cameras are ignored. */
  offer(frame: Frame): void
  /** One listener. A slot is busy until the promise settles and then gets the newest frame that came meanwhile. */
  onReady(listener: (ready: ReadyFrame) => Promise<void>): void
  counters(cameraId: string, analyticId: string): SlotCounters | undefined
  /** Frames of a camera dropped by reason, summed over its analytics. */
  dropped(cameraId: string): Readonly<Record<string, number>>
  /** No more frames are handed out; resolves when those under way are done. */
  stop(): Promise<void>
}

export interface FramesOptions {
  readonly log: { error(fields: object, message: string): void }
}

interface Slot {
  offer(frame: Frame): void
  stop(): Promise<void>
  counters(): SlotCounters
}

/** One slot per camera and analytic: at most one frame under way and one waiting; the newest wins, the loss is counted. */
export const createFrames = (cameras: readonly CameraConfig[], { log }: FramesOptions): Frames => {
  let onReady: (ready: ReadyFrame) => Promise<void> = async () => {}
  const slots = new Map(
    cameras.map(camera => [
      camera.id,
      new Map(
        camera.analytics.map(analytic => [
          analytic.id,
          createSlot(
            analytic.fps,
            async (frame, isFirstOfConnection) => {
              await onReady({ cameraId: camera.id, analyticId: analytic.id, frame, isFirstOfConnection })
            },
            err => log.error({ cameraId: camera.id, analyticId: analytic.id, err }, 'A frame could not be analysed'),
          ),
        ]),
      ),
    ]),
  )
  const all = (): Slot[] => [...slots.values()].flatMap(camera => [...camera.values()])

  return {
    offer(frame) {
      for (const slot of slots.get(frame.cameraId)?.values() ?? []) slot.offer(frame)
    },
    onReady(listener) {
      onReady = listener
    },
    counters: (cameraId, analyticId) => slots.get(cameraId)?.get(analyticId)?.counters(),
    dropped(cameraId) {
      const sum: Record<string, number> = {}
      for (const slot of slots.get(cameraId)?.values() ?? []) {
        for (const [reason, count] of Object.entries(slot.counters().dropped)) sum[reason] = (sum[reason] ?? 0) + count
      }
      return sum
    },
    async stop() {
      await Promise.all(all().map(slot => slot.stop()))
    },
  }
}

const createSlot = (
  fps: number,
  deliver: (frame: Frame, isFirstOfConnection: boolean) => Promise<void>,
  onFailure: (error: unknown) => void,
): Slot => {
  const cadence = createCadence(fps)
  const dropped: Partial<Record<DropReason, number>> = {}
  let [due, skipped, delivered] = [0, 0, 0]
  let pending: Frame | undefined
  let underWay: Promise<void> | undefined
  let lastNumber = Number.POSITIVE_INFINITY
  let isFirst = true
  let isStopped = false

  const drop = (reason: DropReason): void => {
    dropped[reason] = (dropped[reason] ?? 0) + 1
  }
  const work = async (): Promise<void> => {
    while (pending !== undefined) {
      const frame = pending
      const isFirstOfConnection = isFirst
      pending = undefined
      isFirst = false
      try {
        await deliver(frame, isFirstOfConnection)
        delivered++
      } catch (error) {
        drop('consumer-failed')
        onFailure(error)
      }
    }
    underWay = undefined
  }

  return {
    offer(frame) {
      // Numbers restart with each connection; the mark is kept until a frame is really handed out.
      if (frame.number <= lastNumber) isFirst = true
      lastNumber = frame.number
      if (!cadence.isDue(frame.takenAt)) {
        skipped++
        return
      }
      due++
      if (isStopped) return drop('stopped')
      if (pending !== undefined) drop('newer-frame')
      pending = frame
      underWay ??= work()
    },
    async stop() {
      isStopped = true
      if (pending !== undefined) drop('stopped')
      pending = undefined
      await underWay
    },
    counters: () => ({
      due,
      skipped,
      delivered,
      dropped: { ...dropped },
      pending: due - delivered - Object.values(dropped).reduce((sum, count) => sum + count, 0),
    }),
  }
}
