import type { Box } from '@watchpost/shared/contracts/primitives'
import { describe, expect, it } from 'vitest'
import { createStopLine } from '../../../edge/analytics/stop-line.js'

const aspect = 16 / 9
const line = [
  [0, 0.5],
  [aspect, 0.5],
] as const
const red = { colour: 'red', sinceMs: 4000 } as const

/** Box heights and places over time, eight pictures a second, of one motorbike that goes away from the camera. */
const follow = (boxes: readonly Box[]) => {
  const stopLine = createStopLine(line, [0, -1], () => red)
  return boxes
    .map((box, index) => stopLine.follow({ id: 1, label: 'motorcycle', box }, index * 125, aspect))
    .filter(crossing => crossing !== null)
}

const away = (count: number, from: number, step: number): Box[] =>
  Array.from({ length: count }, (_, index) => [0.5, from - step * index, 0.05, 0.2])

describe('the stop line', () => {
  it('sees a motorbike that rides over it', () => {
    expect(follow(away(20, 0.5, 0.02))).toEqual([{ direction: 'forward', lamp: red }])
  })

  it('does not accuse a waiting rider of whom only the upper half is still found', () => {
    const waiting = away(12, 0.42, 0)
    const upperHalf: Box[] = Array.from({ length: 12 }, () => [0.5, 0.41, 0.05, 0.09])
    expect(follow([...waiting, ...upperHalf])).toEqual([])
  })

  it('still sees that rider go when the whole box is back', () => {
    const upperHalf: Box[] = Array.from({ length: 12 }, () => [0.5, 0.41, 0.05, 0.09])
    const crossings = follow([...away(12, 0.42, 0), ...upperHalf, ...away(12, 0.42, 0), ...away(20, 0.42, 0.02)])
    expect(crossings.at(-1)).toEqual({ direction: 'forward', lamp: red })
    expect(crossings.filter(({ direction }) => direction === 'forward')).toHaveLength(1)
  })

  it('does not accuse a braking rider whose box overshoots the line and comes back', () => {
    const braking = away(9, 0.42, 0.016)
    const back: Box[] = Array.from({ length: 12 }, () => [0.5, 0.35, 0.05, 0.2])
    expect(follow([...braking, ...back])).toEqual([])
  })

  it('does not accuse who stops just over the line and goes on only later', () => {
    const over: Box[] = Array.from({ length: 40 }, () => [0.5, 0.29, 0.05, 0.2])
    expect(follow([...away(9, 0.42, 0.016), ...over, ...away(10, 0.29, 0.02)])).toEqual([])
  })

  it('does not accuse a waiting rider whose track jumps to one who crosses beyond the line', () => {
    const sideways = Array.from(
      { length: 12 },
      (_, index): Box => [0.48 - 0.02 * index, 0.28 - 0.004 * index, 0.05, 0.2],
    )
    expect(follow([...away(12, 0.42, 0), ...sideways])).toEqual([])
  })
})
