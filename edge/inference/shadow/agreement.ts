import type { ClassAgreement } from '@watchpost/shared/contracts/shadow-report'
import type { Comparison } from './comparison.js'

/** As many as a report may hold; COCO has 80. */
const mostClasses = 200

/** Counts per class over all compared frames. */
export const createAgreement = () => {
  const classes = new Map<string, { agree: number; onlyActive: number; onlyCandidate: number; iouSum: number }>()
  let unit: Comparison['unit'] = 'objects'
  return {
    add(comparison: Comparison): void {
      unit = comparison.unit
      for (const { label, agree, onlyActive, onlyCandidate, iouSum } of comparison.classes) {
        const sum = classes.get(label) ?? { agree: 0, onlyActive: 0, onlyCandidate: 0, iouSum: 0 }
        if (!classes.has(label) && classes.size >= mostClasses) continue
        sum.agree += agree
        sum.onlyActive += onlyActive
        sum.onlyCandidate += onlyCandidate
        sum.iouSum += iouSum
        classes.set(label, sum)
      }
    },
    unit: () => unit,
    classes: (): ClassAgreement[] =>
      [...classes]
        .map(([label, { iouSum, ...counts }]) => ({ label, ...counts, iou: iouOf(unit, { ...counts, iouSum }) }))
        .toSorted((a, b) => seenOf(b) - seenOf(a)),
    /** Null: neither has seen anything yet. */
    share(): number | null {
      const [same, all] = [...classes.values()].reduce(
        ([agree, total], one) => [agree + one.agree, total + one.agree + one.onlyActive + one.onlyCandidate],
        [0, 0],
      )
      return all === 0 ? null : rounded(same / all)
    },
  }
}

const seenOf = ({ agree, onlyActive, onlyCandidate }: Omit<ClassAgreement, 'label' | 'iou'>): number =>
  agree + onlyActive + onlyCandidate

const iouOf = (unit: Comparison['unit'], counts: Omit<ClassAgreement, 'label' | 'iou'> & { iouSum: number }) => {
  if (unit === 'classes') return null
  if (unit === 'objects') return counts.agree === 0 ? null : rounded(Math.min(1, counts.iouSum / counts.agree))
  return seenOf(counts) === 0 ? null : rounded(counts.agree / seenOf(counts))
}

const rounded = (share: number): number => Math.round(share * 10_000) / 10_000
