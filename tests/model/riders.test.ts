import type { Detection } from '../../edge/inference/inference-result.js'
import type { Box } from '@watchpost/shared/contracts/primitives'
import { describe, expect, it } from 'vitest'
import type { TrueBox } from '../../scripts/model/data/data-set.js'
import { figuresOf } from '../../scripts/model/eval/figures.js'
import { judge } from '../../scripts/model/eval/judge.js'

/** A motorbike and its rider as a detector finds them, and the two as one. */
const bike: Box = [0.4, 0.5, 0.1, 0.1]
const rider: Box = [0.41, 0.42, 0.08, 0.14]
const both: Box = [0.4, 0.42, 0.1, 0.18]
const seen = (label: string, box: Box, confidence = 0.9): Detection => ({ label, box, confidence })
const isTrue = (className: string, box: Box): TrueBox => ({ className, box })

const twoWheels = ['person', 'motorcycle', 'bicycle']
const judged = (
  detections: readonly Detection[],
  boxes: readonly TrueBox[],
  { mergesRiders = true, classes = ['motorbike'], pictureHeight = 200 } = {},
) =>
  judge(
    { kind: 'detections', detections: [...detections] },
    { path: 'a.png', boxes, shows: boxes.map(({ className }) => className) },
    undefined,
    {
      subject: { name: 'motorbike', labels: twoWheels, classes: new Set(classes) },
      thresholdOf: () => 0.4,
      mergesRiders,
      pictureHeight,
    },
  )
const right = ({ reported }: ReturnType<typeof judge>) => reported.filter(({ iou }) => iou > 0).length

describe('riders in an evaluation', () => {
  it('are found with their motorbike when they are taken as one, which the halves are not', () => {
    const found = [seen('motorcycle', bike), seen('person', rider)]
    const truth = [isTrue('motorbike', both)]
    const merged = judged(found, truth)
    expect([right(merged), merged.reported.length]).toEqual([1, 1])
    expect(merged.reported[0]!.iou).toBeCloseTo(1, 5)
    // The rider's box overlaps the whole by more than half, the motorbike's is then a false one.
    const apart = judged(found, truth, { mergesRiders: false })
    expect([right(apart), apart.reported.length]).toEqual([1, 2])
  })

  it('are found when only the person was', () => {
    expect(right(judged([seen('person', rider)], [isTrue('motorbike', both)]))).toBe(1)
  })

  it('are merged as the agent does it, after its thresholds', () => {
    const faint = [seen('motorcycle', [0.3, 0.5, 0.2, 0.1], 0.1), seen('person', rider)]
    const { reported } = judged(faint, [isTrue('motorbike', rider)])
    expect(reported).toMatchObject([{ confidence: 0.9 }])
    expect(reported[0]!.iou).toBeCloseTo(1, 5)
  })

  it('are merged in a truth that tells them apart, and everybody else stays', () => {
    const truth = [isTrue('motorcycle', bike), isTrue('person', rider), isTrue('person', [0.8, 0.4, 0.05, 0.2])]
    const found = [seen('motorcycle', bike), seen('person', rider)]
    const one = judged(found, truth, { classes: ['person', 'motorcycle'] })
    expect([one.truths, right(one)]).toEqual([2, 1])
    const crowd = [isTrue('person', [0.1, 0.4, 0.05, 0.2]), isTrue('person', [0.11, 0.42, 0.04, 0.17])]
    expect(judged([], crowd, { classes: ['person'] }).truths).toBe(2)
  })
})

describe('recall by height', () => {
  it('counts true boxes by their pixels, at the package’s thresholds and at 0.25', () => {
    const at = (y: number, height: number): Box => [0.1, y, 0.1, height]
    const truth = [at(0, 0.05), at(0.2, 0.15), at(0.4, 0.15), at(0.7, 0.25)].map(box => isTrue('motorbike', box))
    const found = [
      seen('motorcycle', truth[1]!.box, 0.3),
      seen('motorcycle', truth[2]!.box, 0.5),
      seen('motorcycle', truth[3]!.box, 0.2),
    ]
    const judgement = judged(found, truth, { mergesRiders: false })
    expect(figuresOf([judgement], { boxes: true, threshold: 0.4 }).recallByHeight).toEqual([
      { fromPx: 0, belowPx: 20, boxes: 1, asReported: 0, at025: 0 },
      { fromPx: 20, belowPx: 40, boxes: 2, asReported: 0.5, at025: 1 },
      { fromPx: 40, belowPx: null, boxes: 1, asReported: 0, at025: 0 },
    ])
  })
})
