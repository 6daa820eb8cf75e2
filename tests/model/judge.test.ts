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

describe('a crowd', () => {
  const person = (at: number): Box => [at, 0.4, 0.1, 0.3]
  const found = judge(
    {
      kind: 'detections',
      detections: [0, 0.35, 0.8].map(at => ({ label: 'person', confidence: 0.6, box: person(at) })),
    },
    {
      path: 'a.png',
      shows: ['person'],
      boxes: [
        { className: 'person', box: person(0) },
        { className: 'person', box: [0.3, 0.3, 0.4, 0.5], crowd: true },
      ],
    },
    undefined,
    {
      subject: { name: 'person', labels: ['person'], classes: new Set(['person']) },
      thresholdOf: () => 0.1,
      mergesRiders: false,
      pictureHeight: 360,
    },
  )
  it('has nobody who must be found, and whoever is found in it is no false alarm', () => {
    expect(found).toMatchObject({ shown: true, truths: 1, words: '0 of 1 missed, 1 wrong' })
    expect(found.hits.map(({ iou }) => iou > 0)).toEqual([true, false])
  })
})

describe('a grid', () => {
  const grid = (...cells: readonly number[]) => {
    const scores = new Float32Array(400).fill(0.1)
    scores.set(cells)
    return judge(
      { kind: 'grid', labels: ['smoke'], rows: 20, columns: 20, scores },
      { shows: ['smoke'], boxes: [] } as unknown as Parameters<typeof judge>[1],
      undefined,
      {
        subject: { name: 'smoke', labels: ['smoke'], classes: new Set(['smoke']) },
        thresholdOf: () => 0.5,
        mergesRiders: false,
        pictureHeight: 360,
      },
    )
  }

  it('ranks a picture by the mean of its highest hundredth of cells: one odd cell is no plume', () => {
    expect(grid(0.9).score).toBeCloseTo((0.9 + 3 * 0.1) / 4)
    expect(grid(0.5, 0.5, 0.5, 0.5).score).toBeCloseTo(0.5)
  })

  it('is compared with the threshold by its highest cell, as the agent does', () => {
    expect(grid(0.9).compared).toBeCloseTo(0.9)
  })
})
