import type { Polygon } from '@watchpost/shared/contracts/primitives'
import type { Picture } from './picture-assembler.js'

/** `[from, to)` byte ranges to blacken. */
type Spans = readonly (readonly [number, number])[]

/** Blackens the polygons in place. Call it before anybody else sees the picture: pixels below a mask must not exist anywhere. */
export const createPrivacyMasks = (polygons: readonly Polygon[]): ((picture: Picture) => void) => {
  let spans: Spans = []
  let size = ''
  return picture => {
    if (polygons.length === 0) return
    const key = `${picture.width}x${picture.height}`
    if (key !== size) {
      spans = polygons.flatMap(polygon => spansOf(polygon, picture.width, picture.height))
      size = key
    }
    for (const [from, to] of spans) picture.pixels.fill(0, from, to)
  }
}

/** Scan lines inside each row: enough that no corner of the polygon slips between two of them by more than the margin. */
const scanLines = [0, 0.25, 0.5, 0.75, 1]
/** Grown to either side, in pixels: a mask rather hides a little too much. */
const marginPx = 1

const spansOf = (polygon: Polygon, width: number, height: number): (readonly [number, number])[] => {
  const spans: (readonly [number, number])[] = []
  for (let row = 0; row < height; row++) {
    for (const line of scanLines) {
      const crossings = crossingsAt(polygon, (row + line) / height)
      for (let i = 0; i + 1 < crossings.length; i += 2) {
        const from = Math.max(0, Math.floor(crossings[i]! * width) - marginPx)
        const to = Math.min(width, Math.ceil(crossings[i + 1]! * width) + marginPx)
        if (to > from) spans.push([(row * width + from) * 3, (row * width + to) * 3])
      }
    }
  }
  return spans
}

/** Where the horizontal line at `y` crosses the outline, ascending; even-odd rule. */
const crossingsAt = (polygon: Polygon, y: number): number[] => {
  const crossings: number[] = []
  for (let i = 0; i < polygon.length; i++) {
    const [x1, y1] = polygon[i]!
    const [x2, y2] = polygon[(i + 1) % polygon.length]!
    if (y1 <= y === y2 <= y) continue
    crossings.push(x1 + ((y - y1) / (y2 - y1)) * (x2 - x1))
  }
  return crossings.sort((a, b) => a - b)
}
