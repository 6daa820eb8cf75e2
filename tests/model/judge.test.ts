import type { Box } from '@watchpost/shared/contracts/primitives'
import { describe, expect, it } from 'vitest'
import { judge } from '../../scripts/model/eval/judge.js'

const box: Box = [0.4, 0.4, 0.1, 0.3]
const sample = { shows: ['person'], boxes: [{ className: 'person', box }] } as unknown as Parameters<typeof judge>[1]
const judged = (motorcycle: number) =>
  judge(
    {
      kind: 'detections',
      detections: [
        { label: 'person', confidence: 0.6, box },
        { label: 'motorcycle', confidence: motorcycle, box },
      ],
    },
    sample,
    undefined,
    {
      subject: { name: 'person', labels: ['person'], classes: new Set(['person']) },
      thresholdOf: () => 0.1,
      mergesRiders: true,
      pictureHeight: 360,
    } as Parameters<typeof judge>[3],
  )

describe('a walker, riders merged', () => {
  it('is not swallowed by a motorcycle too faint for the agent to report', () => {
    expect(judged(0.02)).toMatchObject({ truths: 1, hits: [{ confidence: 0.6, iou: expect.closeTo(1, 5) }] })
  })
  it('is a rider when the motorcycle would be reported', () => {
    expect(judged(0.2).hits).toEqual([])
  })
})
