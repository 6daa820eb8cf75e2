import { distance, type PlanePoint } from './geometry.js'

export interface Travel {
  readonly angleDeg: number
  readonly heldMs: number
  readonly distance: number
}

interface Step {
  readonly at: number
  readonly point: PlanePoint
}

/** The direction of motion is taken over this time; shorter, and the trembling of a box looks like driving. */
const motionMs = 700
/** Motion of less than this share of the vehicle's height in that time is standing still. */
const minMotionShare = 0.12

/** With or against the lane: since when, how far and at what angle each track travels. */
export const createLaneTravel = (direction: PlanePoint) => {
  const trails = new Map<number, Step[]>()
  const legs = new Map<number, { readonly isAgainst: boolean; readonly from: Step }>()
  const forget = (id: number) => {
    trails.delete(id)
    legs.delete(id)
  }

  return {
    /** Null while the track stands or has not been seen for long enough. */
    follow(id: number, step: Step, vehicleHeight: number): Travel | null {
      const trail = [...(trails.get(id) ?? []), step].filter(
        (one, index, all) => one.at >= step.at - motionMs || all[index + 1]!.at > step.at - motionMs,
      )
      trails.set(id, trail)
      const from = trail[0]!
      if (step.at - from.at < motionMs / 2 || distance(step.point, from.point) < minMotionShare * vehicleHeight)
        return null
      const isAgainst = angleBetween(from.point, step.point, direction) > 90
      const known = legs.get(id)
      const leg = known?.isAgainst === isAgainst ? known : { isAgainst, from }
      legs.set(id, leg)
      return {
        angleDeg: angleBetween(leg.from.point, step.point, direction),
        heldMs: step.at - leg.from.at,
        distance: distance(leg.from.point, step.point),
      }
    },
    /** The track has left the lane or is over. */
    forget,
  }
}

const angleBetween = (from: PlanePoint, to: PlanePoint, direction: PlanePoint): number => {
  const [dx, dy] = [to[0] - from[0], to[1] - from[1]]
  const cosine = (dx * direction[0] + dy * direction[1]) / (Math.hypot(dx, dy) * Math.hypot(...direction) || 1)
  return (Math.acos(Math.min(1, Math.max(-1, cosine))) * 180) / Math.PI
}
