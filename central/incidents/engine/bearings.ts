import type { LonLat } from '@watchpost/shared/contracts/primitives'

const earthRadiusM = 6_371_000
const radians = (degrees: number): number => (degrees * Math.PI) / 180

/**
 * How well a camera's bearing is known, degrees either way: its own direction, and the middle of a plume that the wind has
 * drawn to one side of its foot.
 */
const toleranceDeg = 2

/** Metres east and north from a to b. Equirectangular: exact to centimetres over hundreds of metres, to metres over tens of kilometres. */
export const offsetM = ([lonA, latA]: LonLat, [lonB, latB]: LonLat): readonly [eastM: number, northM: number] => [
  radians(lonB - lonA) * Math.cos(radians((latA + latB) / 2)) * earthRadiusM,
  radians(latB - latA) * earthRadiusM,
]

/** Whether two sight lines, each give or take the tolerance, meet before both cameras and within `rangeM` of both. */
export const bearingsMeet = (a: LonLat, fromADeg: number, b: LonLat, fromBDeg: number, rangeM: number): boolean => {
  const shifts = [-toleranceDeg, 0, toleranceDeg]
  const between = offsetM(a, b)
  return shifts.some(da => shifts.some(db => raysMeet(between, fromADeg + da, fromBDeg + db, rangeM)))
}

const raysMeet = ([east, north]: readonly [number, number], aDeg: number, bDeg: number, rangeM: number): boolean => {
  const [ax, ay] = [Math.sin(radians(aDeg)), Math.cos(radians(aDeg))]
  const [bx, by] = [Math.sin(radians(bDeg)), Math.cos(radians(bDeg))]
  const cross = ax * by - ay * bx
  if (cross === 0) return false
  const alongA = (east * by - north * bx) / cross
  const alongB = (east * ay - north * ax) / cross
  return alongA > 0 && alongB > 0 && alongA <= rangeM && alongB <= rangeM
}
