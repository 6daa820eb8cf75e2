import type { Box } from '@watchpost/shared/contracts/primitives'
import { describe, expect, it } from 'vitest'
import { hotaScore } from '../../../scripts/score/metrics/hota.js'
import { identityScore } from '../../../scripts/score/metrics/idf1.js'
import { iouOf, type TrackFrame } from '../../../scripts/score/metrics/track-frames.js'
import { trackFramesOf } from '../../../scripts/score/metrics/track-ground.js'
import { truthWith } from '../truth-example.js'

const left: Box = [0.1, 0.5, 0.1, 0.1]
const right: Box = [0.7, 0.5, 0.1, 0.1]
/** Overlaps `left` by exactly a half of their union: 0.0667 of 0.1 wide in common. */
const besideLeft: Box = [0.1 + 0.1 / 3, 0.5, 0.1, 0.1]
const at = (id: string, box: Box) => ({ id, box })

describe('overlap of boxes', () => {
  it('is common area over joint area', () => {
    expect(iouOf(left, left)).toBeCloseTo(1)
    expect(iouOf(left, besideLeft)).toBeCloseTo(0.5)
    expect(iouOf(left, right)).toBe(0)
  })
})

describe('IDF1', () => {
  it('is 1 when every vehicle keeps its own id, whatever the ids are called', () => {
    const frames: TrackFrame[] = [0, 1, 2].map(() => ({
      truth: [at('a', left), at('b', right)],
      found: [at('9', right), at('4', left)],
    }))
    expect(identityScore(frames)).toEqual({ idf1: 1, idPrecision: 1, idRecall: 1 })
  })

  it('counts only the longest agreement of a vehicle whose id changes', () => {
    // 10 frames, id 1 for 6 and id 2 for 4: IDTP 6, IDFP 4, IDFN 4.
    const frames = Array.from({ length: 10 }, (_, index) => ({
      truth: [at('a', left)],
      found: [at(index < 6 ? '1' : '2', left)],
    }))
    expect(identityScore(frames).idf1).toBeCloseTo(0.6)
  })

  it('is 0.5 when two vehicles swap ids halfway, since either choice is wrong half of the time', () => {
    const frames = Array.from({ length: 8 }, (_, index) => ({
      truth: [at('a', left), at('b', right)],
      found: index < 4 ? [at('1', left), at('2', right)] : [at('2', left), at('1', right)],
    }))
    expect(identityScore(frames).idf1).toBeCloseTo(0.5)
  })

  it('takes boxes that overlap by half as agreeing, and by less as not', () => {
    const shifted = (by: number): Box => [0.1 + by, 0.5, 0.1, 0.1]
    const score = (box: Box) => identityScore([{ truth: [at('a', left)], found: [at('1', box)] }]).idf1
    expect(score(shifted(0.03))).toBe(1)
    expect(score(shifted(0.04))).toBe(0)
  })

  it('is null without vehicles, and 0 when all are missed', () => {
    expect(identityScore([]).idf1).toBeNull()
    expect(identityScore([{ truth: [], found: [at('1', left)] }]).idf1).toBeNull()
    expect(identityScore([{ truth: [at('a', left)], found: [] }])).toEqual({ idf1: 0, idPrecision: null, idRecall: 0 })
  })
})

describe('HOTA', () => {
  it('is 1 for what is found exactly', () => {
    const score = hotaScore([{ truth: [at('a', left)], found: [at('1', left)] }])
    expect(score).toEqual({ hota: 1, detection: 1, association: 1 })
  })

  it('counts a box at those of the 19 thresholds that its overlap reaches', () => {
    // IoU 0.5 reaches 0.05 … 0.50: ten of nineteen.
    const score = hotaScore([{ truth: [at('a', left)], found: [at('1', besideLeft)] }])
    expect(score.hota).toBeCloseTo(10 / 19)
    expect(score.detection).toBeCloseTo(10 / 19)
  })

  it('is √(DetA · AssA) for a vehicle whose id changes', () => {
    // 10 frames, 6 and 4: DetA 1; AssA = (6 · 6/10 + 4 · 4/10) / 10 = 0.52.
    const frames = Array.from({ length: 10 }, (_, index) => ({
      truth: [at('a', left)],
      found: [at(index < 6 ? '1' : '2', left)],
    }))
    const score = hotaScore(frames)
    expect(score.detection).toBeCloseTo(1)
    expect(score.association).toBeCloseTo(0.52)
    expect(score.hota).toBeCloseTo(Math.sqrt(0.52))
  })

  it('weighs missed and invented boxes in detection, and their tracks in association', () => {
    // a is found in 2 of 4 frames, and something else that is nothing in 1: TP 2, FN 2, FP 1; A = 2 / (4 + 2 − 2).
    const frames: TrackFrame[] = [
      { truth: [at('a', left)], found: [at('1', left), at('2', right)] },
      { truth: [at('a', left)], found: [at('1', left)] },
      { truth: [at('a', left)], found: [] },
      { truth: [at('a', left)], found: [] },
    ]
    const score = hotaScore(frames)
    expect(score.detection).toBeCloseTo(2 / 5)
    expect(score.association).toBeCloseTo(0.5)
    expect(score.hota).toBeCloseTo(Math.sqrt(0.2))
  })

  it('pairs ids that belong together over the whole sequence, not those nearest in one frame', () => {
    const near: Box = [0.12, 0.5, 0.1, 0.1]
    const frames: TrackFrame[] = [
      ...Array.from({ length: 9 }, () => ({ truth: [at('a', left)], found: [at('1', left)] })),
      // Here a ghost lies nearer than the track that has followed the vehicle all along.
      { truth: [at('a', left)], found: [at('1', near), at('2', left)] },
    ]
    // The pair (a, 1) overlaps by 2/3 in the last frame and counts there up to 0.65: 13 thresholds.
    const detection = (13 * (10 / 11) + 6 * (9 / 12)) / 19
    expect(hotaScore(frames).detection).toBeCloseTo(detection)
  })

  it('is null without vehicles', () => {
    expect(hotaScore([]).hota).toBeNull()
  })
})

describe('vehicles that are asked for', () => {
  const vehicle = (trackId: string, box: Box, extra: object = {}) => ({ trackId, class: 'car' as const, box, ...extra })
  const truth = (vehicles: readonly object[]) => truthWith({ height: 360, frames: [{ t: 0, vehicles: [...vehicles] }] })
  const near: Box = [0.12, 0.5, 0.1, 0.1]
  const tiny: Box = [0.5, 0.5, 0.02, 0.03]

  it('are neither people, nor mostly hidden, nor less than 12 pixels high', () => {
    const scene = truth([
      vehicle('seen', left),
      vehicle('hidden', right, { visible: 0.2 }),
      vehicle('tiny', tiny),
      { trackId: 'walker', class: 'person', box: [0.3, 0.3, 0.1, 0.2] },
    ])
    const [frame] = trackFramesOf(scene, [{ t: 0, tracks: [] }])
    expect(frame!.truth.map(({ id }) => id)).toEqual(['seen'])
  })

  it('are the only ones for which a found box counts: who finds a hidden one does no wrong', () => {
    const scene = truth([vehicle('hidden', right, { visible: 0.2 }), vehicle('tiny', tiny)])
    const within: Box = [0.505, 0.505, 0.01, 0.01]
    const tracks = [at('1', right), at('2', within), at('3', left)]
    expect(trackFramesOf(scene, [{ t: 0, tracks }])[0]!.found.map(({ id }) => id)).toEqual(['3'])
  })

  it('come before hidden ones that lie over them', () => {
    const scene = truth([vehicle('hidden', left, { visible: 0.1 }), vehicle('seen', near)])
    const [frame] = trackFramesOf(scene, [{ t: 0, tracks: [at('1', left)] }])
    expect(frame).toEqual({ truth: [{ id: 'seen', box: near }], found: [at('1', left)] })
  })

  it('lie between the frames of the truth when the agent looked in between', () => {
    const scene = truthWith({
      height: 360,
      frames: [
        { t: 0, vehicles: [vehicle('a', left), vehicle('gone', right)] },
        { t: 0.1, vehicles: [vehicle('a', [0.2, 0.5, 0.1, 0.1])] },
      ],
    })
    const [early, late] = trackFramesOf(
      scene,
      [0.025, 0.075].map(t => ({ t, tracks: [] })),
    )
    expect(early!.truth.map(({ id }) => id)).toEqual(['a', 'gone'])
    expect(late!.truth.map(({ id }) => id)).toEqual(['a'])
    expect(late!.truth[0]!.box[0]).toBeCloseTo(0.175)
  })
})
