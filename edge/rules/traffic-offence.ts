import type { EventKind } from '@watchpost/shared/contracts/event'
import type { Severity } from '@watchpost/shared/contracts/primitives'
import type { Reading } from '../analytics/reading.js'
import type { TrafficAnalytic } from '../config/agent-config.js'

export type TrafficKind = Extract<
  EventKind,
  'red-light' | 'wrong-way' | 'line-crossing' | 'no-entry' | 'illegal-stopping'
>
export type TrackReading = Extract<Reading, { readonly trackId: number; readonly box: unknown }>

/** A reading that breaks a rule. */
export interface Offence {
  readonly kind: TrafficKind
  /** Line, lane or zone. */
  readonly place: string
  readonly reading: TrackReading
  readonly measure?: { readonly property: string; readonly value: number; readonly unit: string }
}

export const severityOf: Readonly<Record<TrafficKind, Severity>> = {
  'red-light': 'major',
  'wrong-way': 'major',
  'line-crossing': 'minor',
  'no-entry': 'minor',
  'illegal-stopping': 'minor',
}

/** Travel against the lane: this much off its direction, for so long, further than the vehicle is high, and not in one jump. */
const wrongWay = { minAngleDeg: 120, minHeldMs: 1200, minDistance: 0.04, minDistanceInHeights: 1, minEvenness: 0.15 }
/** Into a closed zone: not a corner cut, nor a box that trembles over its edge. */
const noEntry = { minInsideMs: 800, minDistanceInHeights: 0.4 }

/** Which rule, if any, one reading breaks. The law, and a detector's doubts about motorbikes, make no exception for bicycles. */
export const offenceOf = (reading: TrackReading, config: TrafficAnalytic): Offence | null => {
  if (reading.type === 'crossing') return crossingOffence(reading, config)
  if (reading.type === 'travel') return travelOffence(reading)
  return presenceOffence(reading, config)
}

const crossingOffence = (
  reading: Extract<TrackReading, { type: 'crossing' }>,
  { lines, redGraceSeconds }: TrafficAnalytic,
): Offence | null => {
  const { line: place, lamp, direction } = reading
  if (reading.kind === 'solid-line') {
    const isOneSided = lines.find(({ id }) => id === place)?.forward !== undefined
    return isOneSided && direction === 'forward' ? null : { kind: 'line-crossing', place, reading }
  }
  const ranRed =
    reading.kind === 'stop-line' &&
    direction === 'forward' &&
    lamp?.colour === 'red' &&
    lamp.sinceMs >= redGraceSeconds * 1000
  return ranRed ? { kind: 'red-light', place, reading, measure: inSeconds('redFor', lamp.sinceMs) } : null
}

const travelOffence = (reading: Extract<TrackReading, { type: 'travel' }>): Offence | null => {
  const { angleDeg, heldMs, distance, evenness, box, lane: place } = reading
  const isWrong =
    angleDeg >= wrongWay.minAngleDeg &&
    heldMs >= wrongWay.minHeldMs &&
    evenness >= wrongWay.minEvenness &&
    distance >= Math.max(wrongWay.minDistance, wrongWay.minDistanceInHeights * box[3])
  return isWrong ? { kind: 'wrong-way', place, reading, measure: inSeconds('wrongWayFor', heldMs) } : null
}

const presenceOffence = (
  reading: Extract<TrackReading, { type: 'presence' }>,
  { zones }: TrafficAnalytic,
): Offence | null => {
  const { zone: place, stillMs, insideMs, insideDistance, box } = reading
  if (reading.kind === 'no-entry')
    return insideMs >= noEntry.minInsideMs && insideDistance >= noEntry.minDistanceInHeights * box[3]
      ? { kind: 'no-entry', place, reading }
      : null
  const allowedMs = (zones.find(({ id }) => id === place)?.seconds ?? Number.POSITIVE_INFINITY) * 1000
  return stillMs >= allowedMs
    ? { kind: 'illegal-stopping', place, reading, measure: inSeconds('stoppedFor', stillMs) }
    : null
}

const inSeconds = (property: string, ms: number) => ({ property, value: Number((ms / 1000).toFixed(1)), unit: 's' })
