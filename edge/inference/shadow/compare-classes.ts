import { type ClassCount, type Comparison, scoreOf, type Thresholds, thresholdOf } from './comparison.js'

interface JudgedClasses {
  readonly scores: Readonly<Record<string, number>>
  readonly thresholds: Thresholds
}

/** Which classes each of them would report for the whole picture. */
export const compareClasses = (active: JudgedClasses, candidate: JudgedClasses): Comparison => {
  const labels = [...new Set([...Object.keys(active.scores), ...Object.keys(candidate.scores)])]
  const shows = ({ scores, thresholds }: JudgedClasses, label: string): boolean =>
    (scores[label] ?? 0) >= thresholdOf(thresholds, label)
  const classes = labels.map((label): ClassCount => {
    const [a, b] = [shows(active, label), shows(candidate, label)]
    return { label, agree: Number(a && b), onlyActive: Number(a && !b), onlyCandidate: Number(!a && b), iouSum: 0 }
  })
  const seen = (judged: JudgedClasses, key: 'onlyActive' | 'onlyCandidate') =>
    classes
      .filter(one => one[key] > 0)
      .map(({ label }) => ({ label, confidence: clamp(judged.scores[label] ?? 0), box: [0, 0, 1, 1] as const }))
      .map(({ box, ...rest }) => ({ ...rest, box: [...box] as [number, number, number, number] }))
  return {
    unit: 'classes',
    classes,
    score: scoreOf(classes),
    onlyActive: seen(active, 'onlyActive'),
    onlyCandidate: seen(candidate, 'onlyCandidate'),
  }
}

const clamp = (score: number): number => Math.min(1, Math.max(0, score))
