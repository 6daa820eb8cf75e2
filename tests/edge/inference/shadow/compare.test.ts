import { describe, expect, it } from 'vitest'
import type { Decoded, Detection } from '../../../../edge/inference/inference-result.js'
import { createAgreement } from '../../../../edge/inference/shadow/agreement.js'
import { compare } from '../../../../edge/inference/shadow/compare.js'
import { createWorstFrames } from '../../../../edge/inference/shadow/worst-frames.js'

const thresholds = { default: 0.5 }
const compared = (active: Decoded, candidate: Decoded, candidateThresholds: Record<string, number> = thresholds) =>
  compare({ decoded: active, thresholds }, { decoded: candidate, thresholds: candidateThresholds })
const objects = (...detections: Detection[]): Decoded => ({ kind: 'detections', detections })
const car = (x: number, confidence = 0.9): Detection => ({ label: 'car', confidence, box: [x, 0.5, 0.1, 0.1] })
const grid = (scores: readonly number[], columns = 2): Decoded => ({
  kind: 'grid',
  labels: ['smoke'],
  rows: scores.length / columns,
  columns,
  scores: Float32Array.from(scores),
})
const mask = (width: number, height: number, isWet: (x: number, y: number) => boolean): Decoded => ({
  kind: 'mask',
  label: 'water',
  width,
  height,
  scores: Float32Array.from({ length: width * height }, (_, i) => Number(isWet(i % width, Math.floor(i / width)))),
})

describe('comparing two models on one frame', () => {
  it('matches boxes of the same label and says what only one of them saw', () => {
    const bus: Detection = { label: 'bus', confidence: 0.8, box: [0.7, 0.1, 0.2, 0.2] }
    const result = compared(objects(car(0.1), car(0.5, 0.4)), objects(car(0.12), bus))!
    expect(result.classes).toEqual([
      { label: 'car', agree: 1, onlyActive: 1, onlyCandidate: 0, iouSum: expect.closeTo(0.08 / 0.12, 5) },
      { label: 'bus', agree: 0, onlyActive: 0, onlyCandidate: 1, iouSum: 0 },
    ])
    expect(result.score).toBeCloseTo(2 / 3)
    expect(result.onlyActive).toEqual([car(0.5, 0.4)])
    expect(result.onlyCandidate).toEqual([bus])
  })

  it('gives a box to one partner only, and none to a box elsewhere', () => {
    const result = compared(objects(car(0.1), car(0.11)), objects(car(0.1), car(0.6)))!
    expect(result.classes).toEqual([
      { label: 'car', agree: 1, onlyActive: 1, onlyCandidate: 1, iouSum: expect.closeTo(1, 5) },
    ])
  })

  it('counts cells, each model by its own threshold, on grids of different sizes', () => {
    const coarse = grid([0.9, 0.1])
    const fine = grid([0.4, 0.1, 0.1, 0.1, 0.4, 0.4, 0.1, 0.4], 4)
    const [smoke] = compared(coarse, fine, { smoke: 0.3 })!.classes
    // 4×2 cells: the coarse model sees the left half, the fine one three cells of it and one on the right.
    expect(smoke).toMatchObject({ agree: 3, onlyActive: 1, onlyCandidate: 1 })
  })

  it('finds the same water in masks of different sizes, and the region where one sees more', () => {
    const low = mask(64, 32, (_, y) => y >= 16)
    expect(
      compared(
        low,
        mask(320, 160, (_, y) => y >= 80),
      )!.score,
    ).toBe(0)
    const more = compared(
      low,
      mask(64, 32, (_, y) => y >= 8),
    )!
    expect(more).toMatchObject({ unit: 'pixels', score: expect.closeTo(8 / 24, 5), onlyActive: [] })
    expect(more.onlyCandidate).toEqual([{ label: 'water', confidence: 1, box: [0, 0.25, 1, 0.25] }])
  })

  it('does not call the rim of a mask a disagreement', () => {
    const result = compared(
      mask(64, 64, (x, y) => x < 4 && y < 4),
      mask(64, 64, (x, y) => x < 4 && y < 3),
    )!
    expect(result.classes[0]).toMatchObject({ agree: 12, onlyActive: 4 })
    expect(result.score).toBe(0)
  })

  it('compares classes of whole pictures, and refuses answers of different kinds', () => {
    const result = compared(
      { kind: 'classes', scores: { wet: 0.9, dry: 0.1 } },
      { kind: 'classes', scores: { wet: 0.2, dry: 0.8 } },
    )!
    expect(result).toMatchObject({ unit: 'classes', score: 1 })
    expect(compared(objects(), grid([1, 1]))).toBeUndefined()
  })
})

describe('the agreement over many frames', () => {
  it('adds up classes and takes the mean overlap of matched boxes', () => {
    const agreement = createAgreement()
    expect(agreement.share()).toBeNull()
    agreement.add(compared(objects(car(0.1)), objects(car(0.1)))!)
    agreement.add(compared(objects(car(0.1)), objects(car(0.12)))!)
    agreement.add(compared(objects(car(0.1)), objects())!)
    expect(agreement.share()).toBeCloseTo(2 / 3, 3)
    expect(agreement.classes()).toEqual([
      { label: 'car', agree: 2, onlyActive: 1, onlyCandidate: 0, iou: expect.closeTo((1 + 2 / 3) / 2, 3) },
    ])
  })

  it('takes the overlap of areas from all frames together', () => {
    const agreement = createAgreement()
    agreement.add(compared(grid([1, 1]), grid([1, 0]))!)
    agreement.add(compared(grid([0, 0]), grid([0, 0]))!)
    expect(agreement.classes()).toEqual([{ label: 'smoke', agree: 1, onlyActive: 1, onlyCandidate: 0, iou: 0.5 }])
    expect(agreement.unit()).toBe('cells')
  })
})

describe('the worst frames', () => {
  const at = (cameraId: string, score: number) => ({
    cameraId,
    score,
    takenAt: '2026-10-27T00:00:00.000Z',
    thumbnail: null,
    onlyActive: [],
    onlyCandidate: [],
  })

  it('keep the worst few of each camera and never more than twelve', () => {
    const worst = createWorstFrames()
    for (const camera of ['a', 'b', 'c', 'd'])
      for (let i = 0; i < 6; i++) worst.add(at(camera, 0.3 + i / 10 + (camera === 'a' ? 0.01 : 0)))
    const list = worst.list()
    expect(list).toHaveLength(12)
    expect(list[0]).toMatchObject({ cameraId: 'a', score: expect.closeTo(0.81) })
    expect(list.filter(({ cameraId }) => cameraId === 'a').length).toBeLessThanOrEqual(4)
    expect(list.map(({ score }) => score)).toEqual(list.map(({ score }) => score).toSorted((a, b) => b - a))
  })

  it('want no picture of what agrees, none too soon after the last, and a bounded number in all', () => {
    const worst = createWorstFrames()
    expect(worst.wants({ cameraId: 'a', score: 0.1 }, 0)).toBe(false)
    expect(worst.wants({ cameraId: 'a', score: 0.5 }, 0)).toBe(true)
    expect(worst.wants({ cameraId: 'a', score: 0.9 }, 5_000)).toBe(false)
    expect(worst.wants({ cameraId: 'b', score: 0.9 }, 5_000)).toBe(true)
    const taken = Array.from({ length: 200 }, (_, i) => worst.wants({ cameraId: 'a', score: 0.9 }, 20_000 * (i + 1)))
    expect(taken.filter(Boolean).length).toBeLessThan(60)
  })
})
