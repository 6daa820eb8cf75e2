import type { Box } from '@watchpost/shared/contracts/primitives'
import type { PlanePoint } from './geometry.js'
import { groundPoint } from './ground-point.js'
import type { LampState } from './lamp.js'
import type { VehicleLabel } from './road-users.js'
import { createTripwire } from './tripwire.js'

interface Vehicle {
  readonly id: number
  readonly label: VehicleLabel
  readonly box: Box
}

/** How far beyond the line, in box heights, a point is clear of it. */
const clearShare = 0.08

/** So far back a crossing looks for where the vehicle came from. */
const lookBackMs = 2_000
/** A vehicle that drives takes its roof along: so much of the way of its foot at least, perspective allowed for. */
const leastRoofShare = 0.25
/**
 * Who went over the line must be seen again, further on by this share of their height, before it is told: a box that a
 * braking vehicle's motion has carried over the line comes back, and one that has jumped to somebody else does not go on.
 */
const onwardsShare = 0.15
/** ... and mostly forward: a track that has jumped to somebody who crosses beyond the line goes on sideways. */
const leastForward = 0.5
/** Who goes on only later has stopped just over the line, and has not run the light. */
const goesOnWithinMs = 3_000

/**
 * Two tripwires on one stop line. The vehicle's front decides when the line was crossed, its middle that it really went
 * over: who stops with the bumper over the line has not run the light. The lamp told is the kinder one of the two
 * moments, so neither who creeps over and waits for green, nor who enters on green and is still crossing when it changes,
 * is accused.
 */
export const createStopLine = (
  line: readonly PlanePoint[],
  forward: PlanePoint,
  lampAt: ((ms: number) => LampState) | null,
) => {
  const front = createTripwire(line)
  const middle = createTripwire(line)
  const frontPassedAt = new Map<number, number>()
  const along = (motion: PlanePoint) => motion[0] * forward[0] + motion[1] * forward[1]
  const isForward = (motion: PlanePoint) => along(motion) > 0
  const seen = new Map<number, Sight[]>()
  const doubtful = new Map<number, Doubt>()

  /** A waiting rider of whom only the upper half is still found seems to jump over the line: the foot moves, the head does not. */
  const hasMoved = (sights: readonly Sight[]): boolean => {
    const [from, to] = [sights[0]!, sights.at(-1)!]
    const way = (key: 'roof' | 'foot') => along([to[key][0] - from[key][0], to[key][1] - from[key][1]])
    return sights.length < 2 || way('roof') >= leastRoofShare * way('foot')
  }

  return {
    follow(
      vehicle: Vehicle,
      at: number,
      aspect: number,
    ): { direction: 'forward' | 'backward'; lamp: LampState | null } | null {
      const margin = clearShare * vehicle.box[3]
      const sights = [
        ...(seen.get(vehicle.id) ?? []).filter(past => past.at >= at - lookBackMs),
        sightOf(vehicle, at, aspect),
      ]
      seen.set(vehicle.id, sights)
      const ahead = front.follow(vehicle.id, { at, point: groundPoint(vehicle, aspect, forward) }, margin)
      if (ahead && isForward(ahead.motion)) frontPassedAt.set(vehicle.id, ahead.at)
      else if (ahead) frontPassedAt.delete(vehicle.id)
      const point = groundPoint(vehicle, aspect)
      const through = middle.follow(vehicle.id, { at, point }, margin)
      if (through && !isForward(through.motion)) {
        const isDoubt = doubtful.delete(vehicle.id)
        return isDoubt ? null : { direction: 'backward', lamp: lampAt?.(through.at) ?? null }
      }
      if (through && hasMoved(sights)) {
        const lamp = lampAt ? kinder(lampAt(frontPassedAt.get(vehicle.id) ?? through.at), lampAt(through.at)) : null
        doubtful.set(vehicle.id, { at, lamp, point, height: vehicle.box[3] })
        return null
      }
      const doubt = doubtful.get(vehicle.id)
      if (!doubt) return null
      const way: PlanePoint = [point[0] - doubt.point[0], point[1] - doubt.point[1]]
      const onwards = along(way) / Math.hypot(...forward)
      if (onwards < Math.max(onwardsShare * doubt.height, leastForward * Math.hypot(...way))) return null
      doubtful.delete(vehicle.id)
      return at - doubt.at > goesOnWithinMs ? null : { direction: 'forward', lamp: doubt.lamp }
    },
    forget(id: number): void {
      front.forget(id)
      middle.forget(id)
      frontPassedAt.delete(id)
      seen.delete(id)
      doubtful.delete(id)
    },
  }
}

/** A passage that has still to be confirmed. */
interface Doubt {
  readonly at: number
  readonly lamp: LampState | null
  /** Where the middle was when it was first clear of the line. */
  readonly point: PlanePoint
  readonly height: number
}

interface Sight {
  readonly at: number
  readonly roof: PlanePoint
  readonly foot: PlanePoint
}

const sightOf = ({ box: [x, y, width, height] }: Vehicle, at: number, aspect: number): Sight => {
  const middle = (x + width / 2) * aspect
  return { at, roof: [middle, y], foot: [middle, y + height] }
}

const kinder = (first: LampState, second: LampState): LampState =>
  first.colour === 'red' && second.colour !== 'red' ? second : first
