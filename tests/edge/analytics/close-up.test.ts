import type { ImagePoint } from '@watchpost/shared/contracts/primitives'
import { describe, expect, it } from 'vitest'
import { boxOutOf, closeUpOf, pointIn } from '../../../edge/analytics/close-up.js'

const input = { width: 448, height: 256 }
const staff: ImagePoint[] = [
  [0.8, 0.9],
  [0.81, 0.7],
]
const pixelsOf = (region: readonly number[] | null, { width, height }: { width: number; height: number }) =>
  region && [region[0]! * width, region[1]! * height, region[2]! * width, region[3]! * height]

describe('a close-up', () => {
  it('is as many pixels of the frame as the model takes, around the places, and never leaves the frame', () => {
    const frame = { width: 640, height: 360 }
    const [left, top, width, height] = pixelsOf(closeUpOf(staff, frame, { width: 320, height: 180 }), frame)!
    expect([width, height]).toEqual([320, 180])
    expect(left).toBeCloseTo(320, 6)
    expect(top).toBeCloseTo(180, 6)
    const inside = pixelsOf(closeUpOf([[0.5, 0.5]], frame, { width: 320, height: 180 }), frame)!
    expect(inside.map(Math.round)).toEqual([160, 90, 320, 180])
  })

  it('grows, in the shape of the input, until the places fit into it', () => {
    const frame = { width: 1280, height: 720 }
    const tall: ImagePoint[] = [
      [0.5, 0.1],
      [0.5, 0.7],
    ]
    const [, top, width, height] = pixelsOf(closeUpOf(tall, frame, input), frame)!
    expect(height).toBeGreaterThan(0.6 * 720)
    expect(top).toBeLessThan(0.1 * 720)
    expect(top! + height!).toBeGreaterThan(0.7 * 720)
    expect(width! / height!).toBeCloseTo(448 / 256, 1)
  })

  it('goes no nearer than it may, however many pixels a frame has, and else as near as the pixels are', () => {
    const frame = { width: 3840, height: 2160 }
    const [, , width, height] = closeUpOf(staff, frame, input, 2)!
    expect(Math.max(width, height)).toBeCloseTo(0.5, 2)
    const [, top, ...nearest] = pixelsOf(closeUpOf([[0.4, 0.3]], frame, input), frame)!
    expect(nearest.map(Math.round)).toEqual([448, 256])
    expect(top! + 128).toBeCloseTo(0.3 * 2160, 0)
  })

  it('has points and boxes of its own that lead back to those of the frame', () => {
    const region = [0.5, 0.25, 0.25, 0.5] as const
    expect(pointIn([0.625, 0.375], [...region])).toEqual([0.5, 0.25])
    expect(boxOutOf([0.5, 0.25, 0.2, 0.5], [...region])).toEqual([0.625, 0.375, 0.05, 0.25])
  })

  it('is none where the whole frame is hardly larger than what the model takes, or needed', () => {
    expect(closeUpOf(staff, { width: 480, height: 270 }, input)).toBeNull()
    expect(closeUpOf(staff, { width: 320, height: 180 }, input)).toBeNull()
    const everywhere: ImagePoint[] = [
      [0.5, 0],
      [0.5, 1],
    ]
    expect(closeUpOf(everywhere, { width: 1280, height: 720 }, input)).toBeNull()
  })

  it('lies on whole pixels', () => {
    const frame = { width: 1000, height: 563 }
    for (const value of pixelsOf(closeUpOf(staff, frame, input), frame)!)
      expect(Math.abs(value - Math.round(value))).toBeLessThan(1e-9)
  })
})
