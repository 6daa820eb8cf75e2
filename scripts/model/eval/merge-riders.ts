import { roadUsersOf } from '@watchpost/edge/analytics/road-users'
import { overlapOfBoxes } from '@watchpost/edge/inference/decoders/boxes'
import type { Detection } from '@watchpost/edge/inference/inference-result'
import type { TrueBox } from '../data/data-set.js'

const vehicleLabels = ['car', 'bus', 'truck', 'motorcycle', 'bicycle']
const isRoadUser = ({ label }: Detection): boolean => label === 'person' || vehicleLabels.includes(label)

/** As the traffic analytic takes detections: rider and motorbike are one, what was found twice is found once. */
export const mergeDetections = (detections: readonly Detection[]): readonly Detection[] => [
  ...roadUsersOf(detections.filter(isRoadUser)),
  ...detections.filter(one => !isRoadUser(one)),
]

/**
 * The same for true boxes whose classes are named as in COCO; what rides is drawn as one in most sets, and stays as it is. Nothing is
 * dropped: of people behind each other every one is true.
 */
export const mergeTruth = (boxes: readonly TrueBox[]): readonly TrueBox[] => {
  const ridden = boxes.map(({ className, box }) => ({ className, box, own: box }))
  const mounts = ridden.filter(({ className }) => ['motorcycle', 'bicycle'].includes(className))
  return ridden.filter(person => {
    if (person.className !== 'person') return true
    const detected = { label: 'person', confidence: 1, box: person.box }
    const [mount] = mounts
      .filter(
        ({ className, own }) => roadUsersOf([{ label: className, confidence: 1, box: own }, detected]).length === 1,
      )
      .toSorted((a, b) => overlapOfBoxes(b.own, person.box) - overlapOfBoxes(a.own, person.box))
    if (!mount) return true
    mount.box = roadUsersOf([{ label: mount.className, confidence: 1, box: mount.own }, detected])[0]!.box
    return false
  })
}
