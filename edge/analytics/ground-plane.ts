import type { PlanePoint } from './geometry.js'

/** Where a point of the picture lies on the road, in camera heights: to the right of the camera and ahead of it. */
export type ToGround = (point: PlanePoint) => PlanePoint

/**
 * Focal length in frame heights that is assumed of a camera over a street: lenses have 0.8 to 3.3. A lens of half
 * or twice of it bends an angle of 110 degrees on the road to 126 or 100, and leaves right about and straight on as they are.
 */
const focalHeights = 1.5
/** What lies nearer to the horizon, or above it, is taken to lie so far below it. */
const minBelow = 0.02

/**
 * The road as a level camera sees it. In the picture, crossing a lane that runs to a lower corner looks like driving against
 * it; on the road it is not.
 * @param horizon row of the horizon in frame heights, above the picture when negative; null: not known, and the picture stands for the road.
 */
export const groundOf =
  (horizon: number | null, aspect: number): ToGround =>
  point => {
    if (horizon === null) return point
    const below = Math.max(minBelow, point[1] - horizon)
    return [(point[0] - aspect / 2) / below, focalHeights / below]
  }
