import { distance, type PlanePoint } from './geometry.js'
import type { ToGround } from './ground-plane.js'

export interface Travel {
  /** On the road, between the way made and the lane. */
  readonly angleDeg: number
  readonly heldMs: number
  readonly distance: number
  /**
   * How evenly the way was made: its slowest third, relative to an even one, 0..1. Who drives goes on in each third; a track
   * that has jumped to somebody else has made nearly all of its way in one.
   */
  readonly evenness: number
}

interface Step {
  readonly at: number
  readonly point: PlanePoint
}

/** The direction of motion is taken over this time; shorter, and the trembling of a box looks like driving. */
const motionMs = 700
/** Motion of less than this share of the vehicle's height in that time is standing still. */
const minMotionShare = 0.12

/** A lane's direction holds in its middle: perspective turns it elsewhere. */
export interface LaneLine {
  readonly middle: PlanePoint
  readonly direction: PlanePoint
}

/** So far from the middle, in frame heights, the direction is taken. */
const directionStep = 0.01

/**
 * With or against the lane: since when, how far and at what angle each track travels.
 * @param toGround gives the road as it is known at the moment.
 */
export const createLaneTravel = ({ middle, direction }: LaneLine, toGround: () => ToGround) => {
  const length = Math.hypot(...direction) || 1
  const ahead: PlanePoint = [
    middle[0] + (directionStep * direction[0]) / length,
    middle[1] + (directionStep * direction[1]) / length,
  ]
  const trails = new Map<number, Step[]>()
  const legs = new Map<number, { readonly isAgainst: boolean; readonly steps: Step[] }>()
  const forget = (id: number) => {
    trails.delete(id)
    legs.delete(id)
  }

  const angleDeg = (from: PlanePoint, to: PlanePoint): number => {
    const ground = toGround()
    return angleBetween([ground(from), ground(to)], [ground(middle), ground(ahead)])
  }

  return {
    /** Null while the track stands or has not been seen for long enough. */
    follow(id: number, step: Step, vehicleHeight: number): Travel | null {
      const trail = [...(trails.get(id) ?? []), step].filter(
        (one, index, all) => one.at >= step.at - motionMs || all[index + 1]!.at > step.at - motionMs,
      )
      trails.set(id, trail)
      const from = trail[0]!
      if (step.at - from.at < motionMs / 2) return null
      if (distance(step.point, from.point) < minMotionShare * vehicleHeight) {
        legs.delete(id)
        return null
      }
      const isAgainst = angleDeg(from.point, step.point) > 90
      const known = legs.get(id)
      const steps = known?.isAgainst === isAgainst ? [...known.steps, step] : trail
      legs.set(id, { isAgainst, steps })
      const start = steps[0]!
      return {
        angleDeg: angleDeg(start.point, step.point),
        heldMs: step.at - start.at,
        distance: distance(start.point, step.point),
        evenness: evennessOf(steps),
      }
    },
    /** The track has left the lane or is over. */
    forget,
  }
}

/** A track is taken to stay where it was last seen until it is seen elsewhere. */
const evennessOf = (steps: readonly Step[]): number => {
  const [from, to] = [steps[0]!, steps.at(-1)!]
  const [dx, dy] = [to.point[0] - from.point[0], to.point[1] - from.point[1]]
  const along = ({ point }: Step) =>
    ((point[0] - from.point[0]) * dx + (point[1] - from.point[1]) * dy) / (dx ** 2 + dy ** 2 || 1)
  const shareBy = (third: number) =>
    along(steps.findLast(({ at }) => at <= from.at + ((to.at - from.at) * third) / 3) ?? from)
  const [first, second] = [shareBy(1), shareBy(2)]
  return Math.max(0, 3 * Math.min(first, second - first, 1 - second))
}

type Way = readonly [from: PlanePoint, to: PlanePoint]

const angleBetween = (a: Way, b: Way): number => {
  const [ax, ay] = [a[1][0] - a[0][0], a[1][1] - a[0][1]]
  const [bx, by] = [b[1][0] - b[0][0], b[1][1] - b[0][1]]
  const cosine = (ax * bx + ay * by) / (Math.hypot(ax, ay) * Math.hypot(bx, by) || 1)
  return (Math.acos(Math.min(1, Math.max(-1, cosine))) * 180) / Math.PI
}
