import type { Box } from '@watchpost/shared/contracts/primitives'
import type { Detection } from '../inference/inference-result.js'
import { coveredShare, iou, unite } from './geometry.js'

export type VehicleLabel = 'car' | 'bus' | 'truck' | 'motorcycle' | 'bicycle'

/** One vehicle with whoever rides it, or a person of whom it is not known yet whether they ride. */
export interface RoadUser extends Detection {
  readonly label: VehicleLabel | 'person'
  /** Confidence of the vehicle itself: 0 when only the person was found. */
  readonly vehicleConfidence: number
}

/** Labels that a detector confuses with each other on one and the same road user. */
export const groupOf: Readonly<Record<RoadUser['label'], 'fourWheels' | 'twoWheels'>> = {
  car: 'fourWheels',
  bus: 'fourWheels',
  truck: 'fourWheels',
  motorcycle: 'twoWheels',
  bicycle: 'twoWheels',
  person: 'twoWheels',
}

/** Two boxes of one group that overlap more than this are one vehicle found twice, as car and as truck. */
const duplicateIou = 0.65
/** A rider's box lies over the motorbike's by at least this share of either ... */
const minRiderOverlap = 0.15
/** ... with the middle over the motorbike, give or take this share of its width. */
const riderReach = 0.25
/** A box that lies within another by so much is a part of it: a leg, a wheel; a much smaller one by less. */
const partShare = 0.6
const smallPart = { share: 0.4, ofArea: 0.4 }

interface Mount {
  readonly vehicle: Detection
  box: Box
  confidence: number
  hasRider: boolean
}

/**
 * Detections of a COCO detector become road users: doubles are dropped, and persons on two wheels are united with what
 * they ride BEFORE tracking. Otherwise rider and motorbike are two tracks that overlap all the way, swap ids, and break
 * every rule twice. The pair is as sure as the surer of the two: seen from the front, a detector finds the rider and
 * hardly the motorbike. Persons alone are kept too, for the tracker to find out whether they ride.
 *
 * A detector trained on riders gives one box for both (`withRider`). A person in it is the same rider found again: they
 * lend it their confidence and are dropped. One beside or before it is somebody else, and the box stays as it is.
 */
export const roadUsersOf = (detections: readonly Detection[]): readonly RoadUser[] => {
  const vehicles = withoutDoubles(detections.filter(({ label }) => label !== 'person' && Object.hasOwn(groupOf, label)))
  const persons = withoutParts(detections.filter(({ label }) => label === 'person'))
  const mounts = vehicles.map((vehicle): Mount => ({ ...vehicle, vehicle, hasRider: vehicle.withRider ?? false }))
  const alone = persons.filter(person => !mountRider(person, mounts))
  const united = mounts.filter(mount => !isPartOfAnother(mount, mounts))
  const walkers = alone.filter(({ box }) => !united.some(mount => mount.hasRider && isPartOf(box, mount.box)))
  return [
    ...united.map(({ vehicle, box, confidence }) => asRoadUser(vehicle, box, confidence, vehicle.confidence)),
    ...walkers.map(person => asRoadUser(person, person.box, person.confidence, 0)),
  ]
}

const asRoadUser = ({ label }: Detection, box: Box, confidence: number, vehicleConfidence: number): RoadUser => ({
  label: label as RoadUser['label'],
  box,
  confidence,
  vehicleConfidence,
})

const withoutDoubles = (vehicles: readonly Detection[]): readonly Detection[] => {
  const group = ({ label }: Detection) => groupOf[label as VehicleLabel]
  const kept: Detection[] = []
  for (const vehicle of vehicles.toSorted((a, b) => b.confidence - a.confidence))
    if (!kept.some(one => group(one) === group(vehicle) && iou(one.box, vehicle.box) > duplicateIou)) kept.push(vehicle)
  return kept
}

const withoutParts = (persons: readonly Detection[]): readonly Detection[] => {
  const kept: Detection[] = []
  const weight = ({ confidence, box }: Detection) => confidence * Math.sqrt(box[2] * box[3])
  for (const person of persons.toSorted((a, b) => weight(b) - weight(a)))
    if (!kept.some(({ box }) => isPartOf(person.box, box))) kept.push(person)
  return kept
}

const isPartOf = (part: Box, whole: Box): boolean => {
  const isSmall = part[2] * part[3] < smallPart.ofArea * whole[2] * whole[3]
  return coveredShare(part, whole) > (isSmall ? smallPart.share : partShare)
}

/** Seats a person on the two-wheeler that fits best; false when there is none. */
const mountRider = (person: Detection, mounts: readonly Mount[]): boolean => {
  const mount = mounts
    .filter(({ vehicle }) => groupOf[vehicle.label as VehicleLabel] === 'twoWheels' && isRiderOf(person, vehicle))
    .toSorted((a, b) => iou(b.vehicle.box, person.box) - iou(a.vehicle.box, person.box))[0]
  if (!mount) return false
  if (!mount.vehicle.withRider) mount.box = unite(mount.box, person.box)
  mount.confidence = Math.max(mount.confidence, person.confidence)
  mount.hasRider = true
  return true
}

const isRiderOf = (person: Detection, vehicle: Detection): boolean =>
  vehicle.withRider ? isPartOf(person.box, vehicle.box) : rides(person, vehicle)

const rides = (rider: Detection, vehicle: Detection): boolean => {
  const [x, y, width, height] = vehicle.box
  const middle = rider.box[0] + rider.box[2] / 2
  const feet = rider.box[1] + rider.box[3]
  const overlap = Math.max(coveredShare(rider.box, vehicle.box), coveredShare(vehicle.box, rider.box))
  return (
    overlap >= minRiderOverlap &&
    middle > x - width * riderReach &&
    middle < x + width * (1 + riderReach) &&
    feet > y + height * 0.2 &&
    feet < y + height * 1.15 &&
    // A pedestrian in front of the motorbike hides it; a rider sits higher than its top.
    rider.box[1] < y + height * 0.3
  )
}

/** A riderless two-wheeler, not half as sure, within a ridden one: its wheel. In a queue every motorbike has its rider. */
const isPartOfAnother = (mount: Mount, mounts: readonly Mount[]): boolean =>
  groupOf[mount.vehicle.label as VehicleLabel] === 'twoWheels' &&
  !mount.hasRider &&
  mounts.some(
    other => other.hasRider && other.confidence > 2 * mount.confidence && isPartOf(mount.vehicle.box, other.box),
  )
