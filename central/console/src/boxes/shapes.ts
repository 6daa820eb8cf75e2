import type { LabelledBox } from '@watchpost/shared/api/incidents'
import type { Box, ImagePoint } from '@watchpost/shared/contracts/primitives'

/** Boxes are `[x, y, width, height]` and points `[x, y]`, 0..1 of the picture; nothing here leaves the picture. */
export type { LabelledBox }

export const corners = ['nw', 'ne', 'sw', 'se'] as const
export type Corner = (typeof corners)[number]

/** Smaller than this nobody can grip. */
export const smallestSide = 0.01

const within = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value))
/** Four digits are a fifth of a pixel at full HD; what comes of dragging has fifteen. */
const rounded = (value: number): number => Math.round(value * 10_000) / 10_000
const tidy = ([x, y, width, height]: Box): Box => {
  const [left, top] = [rounded(x), rounded(y)]
  return [left, top, rounded(Math.min(width, 1 - left)), rounded(Math.min(height, 1 - top))]
}

/** Between two points, whichever way it was drawn. */
export const boxBetween = ([ax, ay]: ImagePoint, [bx, by]: ImagePoint): Box => {
  const [x0, x1] = [within(Math.min(ax, bx), 0, 1), within(Math.max(ax, bx), 0, 1)]
  const [y0, y1] = [within(Math.min(ay, by), 0, 1), within(Math.max(ay, by), 0, 1)]
  return tidy([x0, y0, x1 - x0, y1 - y0])
}

export const movedBox = ([x, y, width, height]: Box, [dx, dy]: ImagePoint): Box =>
  tidy([within(x + dx, 0, 1 - width), within(y + dy, 0, 1 - height), width, height])

/** One corner goes where the pointer is, the opposite one stays. It never turns inside out. */
export const resizedBox = ([x, y, width, height]: Box, corner: Corner, [px, py]: ImagePoint): Box => {
  const [right, bottom] = [x + width, y + height]
  const isWest = corner === 'nw' || corner === 'sw'
  const isNorth = corner === 'nw' || corner === 'ne'
  const left = isWest ? within(px, 0, right - smallestSide) : x
  const top = isNorth ? within(py, 0, bottom - smallestSide) : y
  const toRight = isWest ? right : within(px, x + smallestSide, 1)
  const toBottom = isNorth ? bottom : within(py, y + smallestSide, 1)
  return tidy([left, top, toRight - left, toBottom - top])
}

/** By keyboard the lower right corner moves. */
export const grownBox = (box: Box, [dx, dy]: ImagePoint): Box =>
  resizedBox(box, 'se', [box[0] + box[2] + dx, box[1] + box[3] + dy])

export const isLargeEnough = ([, , width, height]: Box): boolean => width >= smallestSide && height >= smallestSide

const arrows: Readonly<Record<string, ImagePoint>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
}
const [step, smallStep] = [0.02, 0.002]

/** What an arrow key does to a box; undefined: it is no arrow key. */
export const boxAfterKey = (
  box: Box,
  { key, shiftKey, ctrlKey }: { readonly key: string; readonly shiftKey: boolean; readonly ctrlKey: boolean },
): Box | undefined => {
  const arrow = arrows[key]
  if (!arrow) return undefined
  const by = ctrlKey ? smallStep : step
  const change: ImagePoint = [arrow[0] * by, arrow[1] * by]
  return shiftKey ? grownBox(box, change) : movedBox(box, change)
}
