import type { LonLat } from '@watchpost/shared/contracts/primitives'

/**
 * Whether a ring holds a point, by counting crossings. Degrees are taken as a plane: right for a ward of a few
 * kilometres, wrong only for polygons across the date line, which a city does not have.
 */
export const ringHolds = (ring: readonly LonLat[], [x, y]: LonLat): boolean => {
  let inside = false
  for (let i = 0, j = ring.length - 1; i < ring.length; j = i++) {
    const [xi, yi] = ring[i]!
    const [xj, yj] = ring[j]!
    if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) inside = !inside
  }
  return inside
}
