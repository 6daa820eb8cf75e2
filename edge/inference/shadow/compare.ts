import { compareAreas } from './compare-areas.js'
import { compareClasses } from './compare-classes.js'
import { compareObjects } from './compare-objects.js'
import type { Comparison, Judged } from './comparison.js'

/** Undefined when the two say things that cannot be compared; packages that do not fit each other are refused before. */
export const compare = (active: Judged, candidate: Judged): Comparison | undefined => {
  const [a, b] = [active.decoded, candidate.decoded]
  if (a.kind === 'detections' && b.kind === 'detections') return compareObjects(a.detections, b.detections)
  if (a.kind === 'classes' && b.kind === 'classes')
    return compareClasses({ scores: a.scores, ...active }, { scores: b.scores, ...candidate })
  return compareAreas(active, candidate)
}
