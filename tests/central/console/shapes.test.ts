import { boxLabelPattern, boxLabelsByKind, numberedLabels } from '@watchpost/shared/api/box-labels'
import type { Box, ImagePoint } from '@watchpost/shared/contracts/primitives'
import { describe, expect, it } from 'vitest'
import {
  boxAfterKey,
  boxBetween,
  corners,
  movedBox,
  resizedBox,
  smallestSide,
} from '../../../central/console/src/boxes/shapes.js'

const box: Box = [0.4, 0.4, 0.2, 0.1]
const key = (name: string, held: object = {}) => ({ key: name, shiftKey: false, ctrlKey: false, ...held })

describe('boxes drawn by hand', () => {
  it('are the same whichever way they were drawn, and end at the edge', () => {
    expect(boxBetween([0.1, 0.2], [0.5, 0.4])).toEqual([0.1, 0.2, 0.4, 0.2])
    expect(boxBetween([0.5, 0.4], [0.1, 0.2])).toEqual([0.1, 0.2, 0.4, 0.2])
    expect(boxBetween([0.9, 0.9], [1.4, -3])).toEqual([0.9, 0, 0.1, 0.9])
  })

  it('keep their size when they are moved against the edge', () => {
    expect(movedBox(box, [9, -9])).toEqual([0.8, 0, 0.2, 0.1])
    expect(movedBox(box, [-0.1, 0.1])).toEqual([0.3, 0.5, 0.2, 0.1])
  })

  it('follow a corner while the opposite one stays, and never turn inside out', () => {
    expect(resizedBox(box, 'se', [0.7, 0.7])).toEqual([0.4, 0.4, 0.3, 0.3])
    expect(resizedBox(box, 'nw', [0.1, 0.2])).toEqual([0.1, 0.2, 0.5, 0.3])
    expect(resizedBox(box, 'ne', [0.1, 0.9])).toEqual([0.4, 0.49, smallestSide, smallestSide])
    expect(resizedBox(box, 'sw', [-1, 2])).toEqual([0, 0.4, 0.6, 0.6])
  })

  it('are moved by arrows, resized with Shift, and in small steps with Ctrl', () => {
    expect(boxAfterKey(box, key('ArrowRight'))).toEqual([0.42, 0.4, 0.2, 0.1])
    expect(boxAfterKey(box, key('ArrowUp', { ctrlKey: true }))).toEqual([0.4, 0.398, 0.2, 0.1])
    expect(boxAfterKey(box, key('ArrowDown', { shiftKey: true }))).toEqual([0.4, 0.4, 0.2, 0.12])
    expect(boxAfterKey(box, key('x'))).toBeUndefined()
  })

  it('stay in the picture and large enough to grip, whatever is done to them', () => {
    let state = 7
    const next = (): number => {
      state = (state * 48_271) % 2_147_483_647
      return (state / 2_147_483_647) * 3 - 1
    }
    let now = box
    for (let turn = 0; turn < 5000; turn++) {
      const at: ImagePoint = [next(), next()]
      now = turn % 3 === 0 ? movedBox(now, at) : resizedBox(now, corners[turn % 4]!, at)
      const [x, y, width, height] = now
      const isInside = x >= 0 && y >= 0 && x + width <= 1 + 1e-9 && y + height <= 1 + 1e-9
      expect([turn, isInside, width > smallestSide / 2, height > smallestSide / 2]).toEqual([turn, true, true, true])
    }
  })
})

describe('labels to choose from', () => {
  it('are names, and have a number in every export', () => {
    const offered = Object.values(boxLabelsByKind).flat()
    expect(offered.filter(label => !new RegExp(boxLabelPattern).test(label))).toEqual([])
    expect(offered.filter(label => !numberedLabels.includes(label))).toEqual([])
    expect(new Set(numberedLabels).size).toBe(numberedLabels.length)
  })
})
