import { describe, expect, it } from 'vitest'
import type { Clip } from '../../scripts/simulated-city/streams/clip.js'
import { createTimeline } from '../../scripts/simulated-city/streams/timeline.js'

/** Four frames at 0, 0.5, 1 and 1.5 s; key frames at 0 and 1 s. */
const clip: Clip = {
  frames: [0, 0.5, 1, 1.5].map(at => ({ nals: [], isKey: at % 1 === 0, sendS: at, showS: at })),
  sps: Buffer.alloc(0),
  pps: Buffer.alloc(0),
  durationS: 2,
  fps: 2,
  bytes: 0,
}

describe('the timeline of a clip', () => {
  const timeline = createTimeline(clip, { loop: true })

  it.each([
    [-0.1, -1],
    [0, 0],
    [0.49, 0],
    [0.5, 1],
    [1.99, 3],
    [2, 4],
    [6.7, 13],
  ])('has at %f s shown frame %i', (elapsedS, frame) => {
    expect(timeline.frameAt(elapsedS)).toBe(frame)
  })

  it('counts frames, seconds and key frames on through repetitions', () => {
    expect(timeline.frame(5)).toBe(clip.frames[1])
    expect([4, 5, 7].map(timeline.sendS)).toEqual([2, 2.5, 3.5])
    expect([0, 1, 2, 3, 4, 5, 6, 7].map(timeline.keyBefore)).toEqual([0, 0, 2, 2, 4, 4, 6, 6])
    expect([0, 1.5, 2, 5].map(timeline.positionS)).toEqual([0, 1.5, 0, 1])
  })

  it('stays at the end when the clip is shown once', () => {
    const once = createTimeline(clip, { loop: false })
    expect([once.frameAt(1.2), once.frameAt(9)]).toEqual([2, 3])
    expect([once.positionS(1.2), once.positionS(9)]).toEqual([1.2, 2])
  })

  it('finds each frame at its own time also where binary fractions do not meet it', () => {
    const tenth = {
      ...clip,
      frames: Array.from({ length: 400 }, (_, n) => ({ nals: [], isKey: n % 10 === 0, sendS: n / 10, showS: n / 10 })),
      durationS: 40,
    }
    const long = createTimeline(tenth, { loop: true })
    for (let number = 0; number < 4000; number += 7) expect(long.frameAt(long.sendS(number))).toBe(number)
  })
})
