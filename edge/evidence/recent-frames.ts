import type { Frame } from '../frames/frame.js'

export interface RecentFrames {
  /** Keeps a reference, no copy: frames are never written to again. */
  remember(frame: Frame): void
  /** The remembered frame nearest to `takenAt` and at most `withinMs` away from it. */
  nearest(cameraId: string, takenAt: number, withinMs: number): Frame | undefined
  /** The first frame of this camera taken at or after `takenAt`: now or when it comes; undefined after `timeoutMs` or on `close`. */
  next(cameraId: string, takenAt: number, timeoutMs: number): Promise<Frame | undefined>
  close(): void
}

/** Enough to look a second back with half a second of choice, at 4 MB per camera of 640x360. */
const keepEveryMs = 500
const keepForMs = 3_000

interface Waiter {
  readonly takenAt: number
  readonly settle: (frame: Frame | undefined) => void
}

export const createRecentFrames = (): RecentFrames => {
  const rings = new Map<string, Frame[]>()
  const waiters = new Map<string, Set<Waiter>>()

  return {
    remember(frame) {
      for (const waiter of waiters.get(frame.cameraId) ?? []) {
        if (frame.takenAt >= waiter.takenAt) waiter.settle(frame)
      }
      const ring = rings.get(frame.cameraId) ?? []
      const last = ring.at(-1)
      // A tenth early still counts, or a camera of 2 frames per second with some jitter would be kept at 1.
      const isKept =
        last === undefined || frame.takenAt < last.takenAt || frame.takenAt - last.takenAt >= keepEveryMs * 0.9
      if (!isKept) return
      const isFresh = (kept: Frame) => kept.takenAt > frame.takenAt - keepForMs && kept.takenAt <= frame.takenAt
      rings.set(frame.cameraId, [...ring.filter(isFresh), frame])
    },
    nearest(cameraId, takenAt, withinMs) {
      const distance = (frame: Frame) => Math.abs(frame.takenAt - takenAt)
      const near = (rings.get(cameraId) ?? []).filter(frame => distance(frame) <= withinMs)
      return near.sort((a, b) => distance(a) - distance(b))[0]
    },
    next(cameraId, takenAt, timeoutMs) {
      const known = rings.get(cameraId)?.find(frame => frame.takenAt >= takenAt)
      if (known !== undefined) return Promise.resolve(known)
      const ofCamera = waiters.get(cameraId) ?? new Set()
      waiters.set(cameraId, ofCamera)
      return new Promise(resolve => {
        const waiter: Waiter = {
          takenAt,
          settle(frame) {
            clearTimeout(timer)
            ofCamera.delete(waiter)
            resolve(frame)
          },
        }
        const timer = setTimeout(() => waiter.settle(undefined), timeoutMs)
        ofCamera.add(waiter)
      })
    },
    close() {
      for (const ofCamera of waiters.values()) for (const waiter of ofCamera) waiter.settle(undefined)
      rings.clear()
    },
  }
}
