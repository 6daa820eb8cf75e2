import { distance, type PlanePoint } from './geometry.js'

export interface Passage {
  /** When the path crossed the line, between two frames by proportion. */
  readonly at: number
  /** From clear of the line on one side to clear of it on the other. */
  readonly motion: PlanePoint
}

interface Step {
  readonly at: number
  readonly point: PlanePoint
}

/** Steps kept of a point that lingers at the line. */
const maxSteps = 256

/**
 * A line that counts a passage only when a point has gone from clear of it on one side to clear of it on the other: a
 * vehicle that stands on the line, its box trembling, crosses nothing. The time is that of the last crossing on the way.
 */
export const createTripwire = (line: readonly PlanePoint[]) => {
  const paths = new Map<number, Step[]>()
  return {
    /** `margin`: how far from the line is clear of it, in the plane. */
    follow(id: number, step: Step, margin: number): Passage | null {
      const path = paths.get(id)
      const isClear = distanceTo(line, step.point) >= margin
      if (!path) {
        if (isClear) paths.set(id, [step])
        return null
      }
      path.push(step)
      if (path.length > maxSteps) path.splice(1, 1)
      if (!isClear) return null
      paths.set(id, [step])
      const from = path[0]!
      const crossings = path.slice(1).flatMap((to, index) => crossingsOf(line, path[index]!, to))
      const motion: PlanePoint = [step.point[0] - from.point[0], step.point[1] - from.point[1]]
      return crossings.length % 2 === 1 ? { at: Math.max(...crossings), motion } : null
    },
    forget: (id: number) => paths.delete(id),
  }
}

/** Times at which a straight step crosses the line. */
const crossingsOf = (line: readonly PlanePoint[], from: Step, to: Step): readonly number[] =>
  line.slice(1).flatMap((end, index) => {
    const along = intersection(from.point, to.point, line[index]!, end)
    return along === null ? [] : [from.at + along * (to.at - from.at)]
  })

/** How far along a-b it meets c-d, 0..1, or null. Half open, so that a path through a corner of the line counts once. */
const intersection = (a: PlanePoint, b: PlanePoint, c: PlanePoint, d: PlanePoint): number | null => {
  const [rx, ry] = [b[0] - a[0], b[1] - a[1]]
  const [sx, sy] = [d[0] - c[0], d[1] - c[1]]
  const cross = rx * sy - ry * sx
  if (cross === 0) return null
  const along = ((c[0] - a[0]) * sy - (c[1] - a[1]) * sx) / cross
  const across = ((c[0] - a[0]) * ry - (c[1] - a[1]) * rx) / cross
  return along >= 0 && along < 1 && across >= 0 && across < 1 ? along : null
}

const distanceTo = (line: readonly PlanePoint[], point: PlanePoint): number =>
  Math.min(...line.slice(1).map((end, index) => distanceToSegment(point, line[index]!, end)))

const distanceToSegment = (point: PlanePoint, a: PlanePoint, b: PlanePoint): number => {
  const [dx, dy] = [b[0] - a[0], b[1] - a[1]]
  const squared = dx ** 2 + dy ** 2
  const along = squared > 0 ? Math.min(1, Math.max(0, ((point[0] - a[0]) * dx + (point[1] - a[1]) * dy) / squared)) : 0
  return distance(point, [a[0] + along * dx, a[1] + along * dy])
}
