import type { LonLat } from '@watchpost/shared/contracts/primitives'
import type { Truth } from '../truth.js'
import { type FireDetection, frameAt } from './fire.js'

export interface BearingError {
  readonly scene: string
  readonly t: number
  readonly toldDeg: number
  readonly trueDeg: number
  /** Signed, clockwise positive, −180..180. */
  readonly errorDeg: number
}

export interface Intersection {
  readonly scenes: readonly [string, string]
  readonly location: LonLat
  /** Where the two bearings meet; null when they never do. */
  readonly meetsAt: LonLat | null
  readonly errorM: number | null
}

/** Each told bearing against where the plume stood then, or, without a plume in the truth, against the fire's own place. */
export const bearingErrors = (truth: Truth, detections: readonly FireDetection[]): readonly BearingError[] =>
  detections.flatMap(({ happening, events }) =>
    events.flatMap(({ t, bearingDeg }) => {
      const plume = frameAt(truth.frames, t)?.plumeBearingDeg
      const trueDeg = plume ?? (happening.location && bearingFrom(truth.camera.location, happening.location))
      if (bearingDeg === null || trueDeg === undefined) return []
      return [{ scene: truth.scene, t, toldDeg: bearingDeg, trueDeg, errorDeg: turn(bearingDeg - trueDeg) }]
    }),
  )

/** Seen together means the same place, to so many metres. */
const samePlaceM = 20

/** The first bearings of every two cameras that found the same fire, and how far from it they meet. */
export const intersections = (
  found: readonly { readonly truth: Truth; readonly detection: FireDetection }[],
): readonly Intersection[] => {
  const sights = found.flatMap(({ truth, detection }) => {
    const bearingDeg = detection.events.find(event => event.bearingDeg !== null)?.bearingDeg
    const { location, kind } = detection.happening
    return location && bearingDeg != null
      ? [{ scene: truth.scene, from: truth.camera.location, location, kind, bearingDeg }]
      : []
  })
  return sights.flatMap((a, index) =>
    sights
      .slice(index + 1)
      .filter(b => b.scene !== a.scene && b.kind === a.kind && distanceM(a.location, b.location) <= samePlaceM)
      .map(b => {
        const meetsAt = meet(a.from, a.bearingDeg, b.from, b.bearingDeg)
        const errorM = meetsAt && distanceM(meetsAt, a.location)
        return { scenes: [a.scene, b.scene] as const, location: a.location, meetsAt, errorM }
      }),
  )
}

const metresPerDegree = 111_195
const radians = (degrees: number): number => (degrees * Math.PI) / 180
const turn = (degrees: number): number => ((((degrees + 180) % 360) + 360) % 360) - 180

/** East and north in metres; flat, which is exact enough over the kilometres of a hillside. */
const offsetM = (from: LonLat, to: LonLat): readonly [east: number, north: number] => [
  (to[0] - from[0]) * metresPerDegree * Math.cos(radians((from[1] + to[1]) / 2)),
  (to[1] - from[1]) * metresPerDegree,
]

export const distanceM = (a: LonLat, b: LonLat): number => Math.hypot(...offsetM(a, b))

export const bearingFrom = (from: LonLat, to: LonLat): number => {
  const [east, north] = offsetM(from, to)
  return ((Math.atan2(east, north) * 180) / Math.PI + 360) % 360
}

/** Where two rays meet; null when they are parallel or meet behind a camera. */
export const meet = (a: LonLat, aDeg: number, b: LonLat, bDeg: number): LonLat | null => {
  const [dx, dy] = offsetM(a, b)
  const [ax, ay] = [Math.sin(radians(aDeg)), Math.cos(radians(aDeg))]
  const [bx, by] = [Math.sin(radians(bDeg)), Math.cos(radians(bDeg))]
  const cross = ax * by - ay * bx
  if (Math.abs(cross) < 1e-6) return null
  const alongA = (dx * by - dy * bx) / cross
  const alongB = (dx * ay - dy * ax) / cross
  if (alongA <= 0 || alongB <= 0) return null
  const middle = radians((a[1] + b[1]) / 2)
  return [a[0] + (ax * alongA) / (metresPerDegree * Math.cos(middle)), a[1] + (ay * alongA) / metresPerDegree]
}
