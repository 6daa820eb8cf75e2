export interface Cadence {
  /** Whether a frame taken at this time is due. Times need not ascend: a clock that was set back starts anew. */
  isDue(takenAt: number): boolean
}

/** The running mean of the distances between frames forgets over this many of them. */
const meanOver = 50
const phaseFollows = 0.1

/**
 * Takes frames at `fps` out of a faster, unsteady sequence: the frame nearest to each due time. A frame counts as on time up to half of
 * the usual distance between frames early (of the period, when the camera is no faster), so arrival jitter costs none; the average stays
 * exact because the due time moves on by whole periods.
 */
export const createCadence = (fps: number): Cadence => {
  const periodMs = 1000 / fps
  // Until it is known better: a camera as fast as the cadence, of which no frame may be lost.
  let usualGapMs = periodMs
  let gaps = 1
  let offeredAt: number | undefined
  let dueAt = Number.NEGATIVE_INFINITY

  return {
    isDue(takenAt) {
      const gapMs = takenAt - (offeredAt ?? takenAt - periodMs)
      offeredAt = takenAt
      if (gapMs < 0 && takenAt < dueAt - 2 * periodMs) dueAt = takenAt
      if (gapMs > 0) {
        gaps = Math.min(gaps + 1, meanOver)
        usualGapMs += (Math.min(gapMs, 2 * periodMs) - usualGapMs) / gaps
      }
      const toleranceMs = Math.min(usualGapMs, periodMs) / 2
      if (takenAt < dueAt - toleranceMs) return false
      const lateMs = takenAt - dueAt
      // After a gap there is nothing to catch up: the next one is due a period after this one. Otherwise the phase follows slowly, so that
      // one early frame at the start does not make all later ones look late.
      dueAt = lateMs > periodMs ? takenAt + periodMs : dueAt + periodMs + lateMs * phaseFollows
      return true
    },
  }
}
