import type { Detection } from '../inference/inference-result.js'
import { coveredShare, iou, unite } from './geometry.js'

export type VehicleLabel = 'car' | 'bus' | 'truck' | 'motorcycle' | 'bicycle'

/** One vehicle, with whoever rides it. */
export interface RoadUser extends Detection {
  readonly label: VehicleLabel
}

/** Labels that a detector confuses with each other on one and the same vehicle. */
export const groupOf: Readonly<Record<VehicleLabel, 'fourWheels' | 'twoWheels'>> = {
  car: 'fourWheels',
  bus: 'fourWheels',
  truck: 'fourWheels',
  motorcycle: 'twoWheels',
  bicycle: 'twoWheels',
}

/** Two boxes of one group that overlap more than this are one vehicle found twice, as car and as truck. */
const duplicateIou = 0.65
/** A rider's box lies over the motorbike's by at least this share ... */
const minRiderOverlap = 0.15
/** ... with the middle over the motorbike, give or take this share of its width. */
const riderReach = 0.25

/**
 * Detections of a COCO detector become vehicles: doubles are dropped, and persons on two wheels are united with what they
 * ride BEFORE tracking. Otherwise rider and motorbike are two tracks that overlap all the way, swap ids, and break every
 * rule twice. Persons who ride nothing are left out: no rule is about them.
 */
export const roadUsersOf = (detections: readonly Detection[]): readonly RoadUser[] => {
  const vehicles = withoutDoubles(detections.filter(isVehicle))
  const riders = detections.filter(({ label }) => label === 'person')
  const mounts = vehicles.map(vehicle => ({ vehicle, box: vehicle.box }))
  for (const rider of riders) {
    const mount = mounts
      .filter(({ vehicle }) => groupOf[vehicle.label] === 'twoWheels' && rides(rider, vehicle))
      .sort((a, b) => iou(b.vehicle.box, rider.box) - iou(a.vehicle.box, rider.box))[0]
    if (mount) mount.box = unite(mount.box, rider.box)
  }
  return mounts.map(({ vehicle, box }) => ({ ...vehicle, box }))
}

const isVehicle = (detection: Detection): detection is RoadUser => Object.hasOwn(groupOf, detection.label)

const withoutDoubles = (vehicles: readonly RoadUser[]): readonly RoadUser[] => {
  const kept: RoadUser[] = []
  for (const vehicle of vehicles.toSorted((a, b) => b.confidence - a.confidence))
    if (!kept.some(one => groupOf[one.label] === groupOf[vehicle.label] && iou(one.box, vehicle.box) > duplicateIou))
      kept.push(vehicle)
  return kept
}

const rides = (rider: Detection, vehicle: Detection): boolean => {
  const [x, y, width, height] = vehicle.box
  const middle = rider.box[0] + rider.box[2] / 2
  const feet = rider.box[1] + rider.box[3]
  return (
    coveredShare(rider.box, vehicle.box) >= minRiderOverlap &&
    middle > x - width * riderReach &&
    middle < x + width * (1 + riderReach) &&
    feet > y + height * 0.2 &&
    feet < y + height * 1.15 &&
    // A pedestrian in front of the motorbike hides it; a rider sits higher than its top.
    rider.box[1] < y + height * 0.3
  )
}
