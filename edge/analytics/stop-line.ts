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
  const isForward = (motion: PlanePoint) => motion[0] * forward[0] + motion[1] * forward[1] > 0

  return {
    follow(
      vehicle: Vehicle,
      at: number,
      aspect: number,
    ): { direction: 'forward' | 'backward'; lamp: LampState | null } | null {
      const margin = clearShare * vehicle.box[3]
      const ahead = front.follow(vehicle.id, { at, point: groundPoint(vehicle, aspect, forward) }, margin)
      if (ahead && isForward(ahead.motion)) frontPassedAt.set(vehicle.id, ahead.at)
      else if (ahead) frontPassedAt.delete(vehicle.id)
      const through = middle.follow(vehicle.id, { at, point: groundPoint(vehicle, aspect) }, margin)
      if (!through) return null
      if (!isForward(through.motion)) return { direction: 'backward', lamp: lampAt?.(through.at) ?? null }
      return {
        direction: 'forward',
        lamp: lampAt ? kinder(lampAt(frontPassedAt.get(vehicle.id) ?? through.at), lampAt(through.at)) : null,
      }
    },
    forget(id: number): void {
      front.forget(id)
      middle.forget(id)
      frontPassedAt.delete(id)
    },
  }
}

const kinder = (first: LampState, second: LampState): LampState =>
  first.colour === 'red' && second.colour !== 'red' ? second : first
