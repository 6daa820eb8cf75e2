import type { EventKind } from '@watchpost/shared/contracts/event'
import type { LonLat } from '@watchpost/shared/contracts/primitives'
import { bearingsMeet, offsetM } from './bearings.js'
import type { Happening } from './incident-record.js'

export interface CorrelationRules {
  readonly mergeRadiusM: number
  /** How far a camera can tell a plume: bearings that meet nearer than this to both cameras are of one fire. */
  readonly sightRangeM: number
  readonly mergeWindowSeconds: number
}

/** `none`: never an incident. `happening`: one each. `hotspot`: same water, same place. `area`: seen from several sides. */
type Grouping = 'none' | 'happening' | 'hotspot' | 'area'

const grouping: Readonly<Record<EventKind, Grouping>> = {
  'flood-level': 'hotspot',
  'forest-fire': 'area',
  'straw-burning': 'area',
  'urban-fire': 'area',
  // Different vehicles are different incidents, however close they follow.
  'red-light': 'happening',
  'wrong-way': 'happening',
  'line-crossing': 'happening',
  'no-entry': 'happening',
  'illegal-stopping': 'happening',
  // About an agent's queue, not about the city: the ledger and the event list show it.
  'data-loss': 'none',
}

export const raisesIncidents = (kind: EventKind): boolean => grouping[kind] !== 'none'
export const mergesHappenings = (kind: EventKind): boolean => grouping[kind] === 'hotspot' || grouping[kind] === 'area'

/**
 * Whether two happenings of one kind belong to one incident. Symmetric, and true for ever once true, since extents only
 * grow: so the incidents are the connected components and come out the same in any order of arrival.
 * An unended happening is not stretched to now for the same reason: its end may still arrive and lie in the past.
 */
export const areLinked = (kind: EventKind, a: Happening, b: Happening, rules: CorrelationRules): boolean => {
  if (a.key === b.key) return true
  if (!mergesHappenings(kind)) return false
  const gapMs = Math.max(a.firstAt, b.firstAt) - Math.min(a.lastAt, b.lastAt)
  if (gapMs > rules.mergeWindowSeconds * 1000) return false
  const sameCamera = a.siteId === b.siteId && a.cameraId === b.cameraId
  if (sameCamera || (a.hotspotId !== null && a.hotspotId === b.hotspotId)) return true
  if (grouping[kind] === 'hotspot') return false
  if (a.location === null || b.location === null) return false
  return distanceM(a.location, b.location) <= rules.mergeRadiusM || seeOnePoint(a, b, rules.sightRangeM)
}

const seeOnePoint = (a: Happening, b: Happening, rangeM: number): boolean =>
  (a.bearings ?? []).some(fromA =>
    (b.bearings ?? []).some(fromB => bearingsMeet(a.location!, fromA, b.location!, fromB, rangeM)),
  )

export const distanceM = (a: LonLat, b: LonLat): number => Math.hypot(...offsetM(a, b))
