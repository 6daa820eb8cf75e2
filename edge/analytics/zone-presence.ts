import { distance, type PlanePoint } from './geometry.js'

export interface Presence {
  readonly stillMs: number
  readonly insideMs: number
  readonly insideDistance: number
}

interface Step {
  readonly at: number
  readonly point: PlanePoint
}

interface Visit {
  readonly entered: Step
  readonly lastAt: number
  /** Place where the vehicle stands: the mean of its first points there, then fixed, so that a creeping queue leaves it. */
  readonly anchor: Step
  readonly anchorPoints: number
  /** For how long it has been seen away from there; null: it is there. */
  readonly awayMs: number | null
}

/** A vehicle stands while it stays within this share of its height around one place. */
const stillShare = 0.12
const minStill = 0.008
/** Away for so long it has moved; for less, a box was misplaced. */
const moveMs = 700
/** Time without a sight of it says little about where it was: what passes before a parked car hides parts of it first, then all of it. */
const maxUnseenMs = 350
const maxAnchorPoints = 16
/** Out of the zone, or unseen, for less than this is still the same visit: a foot on the zone's edge trembles. */
const maxAbsenceMs = 2000

/** How long each track has been in a zone, and how long it has stood there. */
export const createZonePresence = () => {
  const visits = new Map<number, Visit>()
  return {
    follow(id: number, step: Step, vehicleHeight: number): Presence {
      const before = visits.get(id)
      const known = before && step.at - before.lastAt <= maxAbsenceMs ? before : arrive(step)
      const isAway = distance(known.anchor.point, step.point) > Math.max(minStill, stillShare * vehicleHeight)
      const visit = isAway ? stray(known, step) : settle(known, step)
      visits.set(id, { ...visit, lastAt: step.at })
      return {
        stillMs: step.at - visit.anchor.at,
        insideMs: step.at - visit.entered.at,
        insideDistance: distance(visit.entered.point, step.point),
      }
    },
    forget: (id: number) => visits.delete(id),
  }
}

const arrive = (step: Step): Visit => ({
  entered: step,
  lastAt: step.at,
  anchor: step,
  anchorPoints: 0,
  awayMs: null,
})

const stray = (visit: Visit, step: Step): Visit => {
  const awayMs = visit.awayMs === null ? 0 : visit.awayMs + Math.min(maxUnseenMs, step.at - visit.lastAt)
  return awayMs < moveMs ? { ...visit, awayMs } : { ...visit, anchor: step, anchorPoints: 1, awayMs: null }
}

const settle = (visit: Visit, { point }: Step): Visit => {
  if (visit.anchorPoints >= maxAnchorPoints) return { ...visit, awayMs: null }
  const [x, y] = visit.anchor.point
  const anchorPoints = visit.anchorPoints + 1
  const mean: PlanePoint = [x + (point[0] - x) / anchorPoints, y + (point[1] - y) / anchorPoints]
  return { ...visit, anchor: { at: visit.anchor.at, point: mean }, anchorPoints, awayMs: null }
}
