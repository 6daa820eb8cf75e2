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
      const through = middle.follow(vehicle.id, { at, point: groundPoint(vehicle, aspect) }, margin)
      if (!through) return null
      if (!isForward(through.motion)) return { direction: 'backward', lamp: lampAt?.(through.at) ?? null }
      if (!hasMoved(sights)) return null
      return {
        direction: 'forward',
        lamp: lampAt ? kinder(lampAt(frontPassedAt.get(vehicle.id) ?? through.at), lampAt(through.at)) : null,
      }
    },
    forget(id: number): void {
      front.forget(id)
      middle.forget(id)
      frontPassedAt.delete(id)
      seen.delete(id)
    },
  }
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
