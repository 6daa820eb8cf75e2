import type { CameraConfig } from '../config/agent-config.js'
import { captureFps } from './capture-fps.js'
import { stallLimitMs, toleratedPeriods } from './stall-limit.js'

export interface KeyFramePolicy {
  /** Whether the next connection should decode key frames only. */
  keyFramesOnly(): boolean
  /** A connection begins. */
  connected(): void
  /** ffmpeg found out how many frames a second the source has. True: no more than are wanted, so connect again in full. */
  sourceIsSlow(fps: number): boolean
  /** A picture came `gapMs` after the one before. True: too rare twice in a row, so connect again in full. */
  gapTooLong(gapMs: number): boolean
  /** The stream stalled. Before two gaps were seen, the distance of the key frames may be the reason. */
  stalled(): void
}

const fastestSlowFps = 1

/**
 * Decoding key frames alone costs a quarter, and is enough when no analytic wants more than 1 frame per second. But cameras put their
 * key frames anywhere between 0.5 and 20 s apart, and nothing announces it; so it is tried and measured. Distances up to 2.5 periods of
 * the fastest analytic (and half the stall limit) are fine; beyond them the camera is decoded in full until the agent restarts.
 */
export const createKeyFramePolicy = (camera: CameraConfig): KeyFramePolicy => {
  const fps = captureFps(camera)
  const toleratedMs = Math.min((toleratedPeriods / fps) * 1000, stallLimitMs(camera) / 2)
  let usable = camera.source.kind === 'rtsp' && fps <= fastestSlowFps
  let gaps = 0
  let longGaps = 0

  return {
    keyFramesOnly: () => usable,
    connected() {
      gaps = 0
      longGaps = 0
    },
    sourceIsSlow(sourceFps) {
      if (!usable || sourceFps > fps) return false
      usable = false
      return true
    },
    gapTooLong(gapMs) {
      if (!usable) return false
      gaps++
      longGaps = gapMs > toleratedMs ? longGaps + 1 : 0
      if (longGaps < 2) return false
      usable = false
      return true
    },
    stalled() {
      if (gaps < 2) usable = false
    },
  }
}
