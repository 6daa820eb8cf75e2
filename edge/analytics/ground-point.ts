import type { Box } from '@watchpost/shared/contracts/primitives'
import type { PlanePoint } from './geometry.js'
import { groupOf, type VehicleLabel } from './road-users.js'

/**
 * How much of a box's height, from its bottom, is the ground under the vehicle; the rest is the vehicle itself standing
 * up from it. For the steep views of traffic cameras; a box seen from the side has less, which only shifts points by a
 * few pixels.
 */
const footprint = { fourWheels: 0.4, twoWheels: 0.2 } as const

/**
 * Where a vehicle touches the ground, in the frame plane: the middle of its footprint, or the foremost point of it when a
 * direction of travel (image vector in the plane) is given. Its box's bottom is the front of a vehicle that approaches
 * and the rear of one that drives away, so the box alone does not tell where the front is.
 */
export const groundPoint = (
  { box: [x, y, width, height], label }: { readonly box: Box; readonly label: VehicleLabel },
  aspect: number,
  ahead?: PlanePoint,
): PlanePoint => {
  const half = (footprint[groupOf[label]] * height) / 2
  const middle: PlanePoint = [(x + width / 2) * aspect, y + height - half]
  if (!ahead) return middle
  const length = Math.hypot(...ahead) || 1
  return [middle[0] + (ahead[0] / length) * ((width * aspect) / 2), middle[1] + (ahead[1] / length) * half]
}
