import { overlapOfBoxes } from '../decoders/boxes.js'
import type { Detection } from '../inference-result.js'
import { type ClassCount, type Comparison, type Seen, scoreOf, surest } from './comparison.js'

/** From this overlap on two boxes are the same object. */
const sameObjectIou = 0.5

/** Boxes of the same label are matched, the surest of the active model first, each with the box it overlaps most. */
export const compareObjects = (active: readonly Detection[], candidate: readonly Detection[]): Comparison => {
  const labels = new Set([...active, ...candidate].map(({ label }) => label))
  const onlyActive: Seen[] = []
  const onlyCandidate: Seen[] = []
  const classes = [...labels].map((label): ClassCount => {
    const free = new Set(candidate.filter(one => one.label === label))
    const seen = active.filter(one => one.label === label).toSorted((a, b) => b.confidence - a.confidence)
    let [agree, iouSum] = [0, 0]
    const before = onlyActive.length
    for (const one of seen) {
      const best = nearest(one, free)
      if (!best) {
        onlyActive.push(one)
        continue
      }
      free.delete(best.detection)
      agree++
      iouSum += best.iou
    }
    onlyCandidate.push(...free)
    return { label, agree, onlyActive: onlyActive.length - before, onlyCandidate: free.size, iouSum }
  })
  return {
    unit: 'objects',
    classes,
    score: scoreOf(classes),
    onlyActive: surest(onlyActive),
    onlyCandidate: surest(onlyCandidate),
  }
}

const nearest = (one: Detection, others: ReadonlySet<Detection>) => {
  let best: { readonly detection: Detection; readonly iou: number } | undefined
  for (const detection of others) {
    const iou = overlapOfBoxes(one.box, detection.box)
    if (iou >= sameObjectIou && iou > (best?.iou ?? 0)) best = { detection, iou }
  }
  return best
}
