import type { Box, ImagePoint } from '@watchpost/shared/contracts/primitives'
import { clamp, mean } from './statistics.js'

/**
 * Distances and angles are measured in the frame plane: x times the frame's aspect ratio, so that both axes count in
 * frame heights. In image fractions a 16:9 picture would bend every angle.
 */
export type PlanePoint = readonly [x: number, y: number]

export const toPlane = ([x, y]: readonly [number, number], aspect: number): PlanePoint => [x * aspect, y]

export const distance = (a: PlanePoint, b: PlanePoint): number => Math.hypot(a[0] - b[0], a[1] - b[1])

/** Even-odd rule; the edge itself belongs to one side or the other. */
export const insidePolygon = ([x, y]: readonly [number, number], polygon: readonly ImagePoint[]): boolean => {
  let inside = false
  let previous = polygon.at(-1)
  for (const point of polygon) {
    const [ax, ay] = previous ?? point
    const [bx, by] = point
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside
    previous = point
  }
  return inside
}

/** Mean of the corners. */
export const middleOf = (polygon: readonly ImagePoint[]): ImagePoint => [
  mean(polygon.map(([x]) => x)),
  mean(polygon.map(([, y]) => y)),
]

/** Indices (`row * columns + column`) of the cells of a grid over the frame whose centre lies in the polygon. */
export const cellsInside = (polygon: readonly ImagePoint[], columns: number, rows: number): number[] => {
  const cells: number[] = []
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++)
      if (insidePolygon([(column + 0.5) / columns, (row + 0.5) / rows], polygon)) cells.push(row * columns + column)
  return cells
}

const overlapOf = (a: Box, b: Box): number => {
  const width = Math.min(a[0] + a[2], b[0] + b[2]) - Math.max(a[0], b[0])
  const height = Math.min(a[1] + a[3], b[1] + b[3]) - Math.max(a[1], b[1])
  return width > 0 && height > 0 ? width * height : 0
}

/** Intersection over union, 0..1. */
export const iou = (a: Box, b: Box): number => {
  const overlap = overlapOf(a, b)
  const union = a[2] * a[3] + b[2] * b[3] - overlap
  return union > 0 ? overlap / union : 0
}

/** How much of `part` lies in `whole`, 0..1. */
export const coveredShare = (part: Box, whole: Box): number => {
  const area = part[2] * part[3]
  return area > 0 ? overlapOf(part, whole) / area : 0
}

export const unite = (a: Box, b: Box): Box => {
  const left = Math.min(a[0], b[0])
  const top = Math.min(a[1], b[1])
  return [left, top, Math.max(a[0] + a[2], b[0] + b[2]) - left, Math.max(a[1] + a[3], b[1] + b[3]) - top]
}

/** The same box grown by a share of its size on every side. */
export const grow = ([x, y, width, height]: Box, share: number): Box => [
  x - width * share,
  y - height * share,
  width * (1 + 2 * share),
  height * (1 + 2 * share),
]

/** Cut to the frame: contracts allow fractions only, filters and unions may leave it by a hair. */
export const insideFrame = ([x, y, width, height]: Box): Box => {
  const left = clamp(x, 0, 1)
  const top = clamp(y, 0, 1)
  return [left, top, clamp(x + width, 0, 1) - left, clamp(y + height, 0, 1) - top]
}
