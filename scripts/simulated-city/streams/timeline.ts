import type { Clip, ClipFrame } from './clip.js'

/** Frames of a clip counted through all its repetitions, from 0. Scene seconds count on through repetitions as well. */
export interface Timeline {
  /** The last frame due at this moment; −1 before the first, the clip's last when it is shown once. */
  frameAt(elapsedS: number): number
  frame(number: number): ClipFrame
  sendS(number: number): number
  showS(number: number): number
  /** The key frame at or before this frame. */
  keyBefore(number: number): number
  /** Where in the clip that moment lies, 0..durationS. */
  positionS(elapsedS: number): number
}

export const createTimeline = (clip: Clip, mode: { readonly loop: boolean }): Timeline => {
  const count = clip.frames.length
  const keys: number[] = []
  for (const [index, frame] of clip.frames.entries()) keys.push(frame.isKey ? index : keys[index - 1]!)
  const round = (number: number): number => Math.floor(number / count)
  const frame = (number: number): ClipFrame => clip.frames[number % count]!

  const indexAt = (positionS: number): number => {
    let [from, to] = [0, count - 1]
    while (from < to) {
      const middle = Math.ceil((from + to) / 2)
      // Sums of binary fractions: a frame due at 0.3 s is due at 0.29999999 s.
      if (clip.frames[middle]!.sendS <= positionS + 1e-6) from = middle
      else to = middle - 1
    }
    return from
  }

  return {
    frame,
    frameAt(elapsedS) {
      if (elapsedS < 0) return -1
      if (!mode.loop) return indexAt(elapsedS)
      const repetition = Math.floor(elapsedS / clip.durationS)
      return repetition * count + indexAt(elapsedS - repetition * clip.durationS)
    },
    sendS: number => round(number) * clip.durationS + frame(number).sendS,
    showS: number => round(number) * clip.durationS + frame(number).showS,
    keyBefore: number => round(number) * count + keys[number % count]!,
    positionS(elapsedS) {
      if (elapsedS <= 0) return 0
      return mode.loop ? elapsedS % clip.durationS : Math.min(elapsedS, clip.durationS)
    },
  }
}
