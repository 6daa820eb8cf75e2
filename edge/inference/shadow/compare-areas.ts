import type { Decoded } from '../inference-result.js'
import { type ClassCount, type Comparison, type Judged, type Seen, scoreOf, surest, thresholdOf } from './comparison.js'

/** Scores per label on a raster over the whole frame: grids and masks alike. */
interface Raster {
  readonly rows: number
  readonly columns: number
  readonly labels: readonly string[]
  at(label: number, row: number, column: number): number
}

/** Masks are compared at so many points across at most: the main thread does it between two frames. */
const mostAcross = 128
/** A frame in which less than this share of the picture differs is no disagreement: edges of a mask never fit exactly. */
const leastShare = 0.005

/** Cells or pixels that each of them would report, by label. Undefined when one of them gives no areas. */
export const compareAreas = (active: Judged, candidate: Judged): Comparison | undefined => {
  const [a, b] = [rasterOf(active.decoded), rasterOf(candidate.decoded)]
  if (!a || !b) return undefined
  const columns = Math.min(mostAcross, Math.max(a.columns, b.columns))
  const rows = Math.min(mostAcross, Math.max(a.rows, b.rows))
  const onlyActive: Seen[] = []
  const onlyCandidate: Seen[] = []
  const classes = [...new Set([...a.labels, ...b.labels])].map((label): ClassCount => {
    const counts = { agree: 0, onlyActive: 0, onlyCandidate: 0 }
    const [left, right] = [regionOf(label, rows, columns), regionOf(label, rows, columns)]
    const [scoreA, scoreB] = [reader(a, label, rows, columns), reader(b, label, rows, columns)]
    const [leastA, leastB] = [thresholdOf(active.thresholds, label), thresholdOf(candidate.thresholds, label)]
    for (let row = 0; row < rows; row++)
      for (let column = 0; column < columns; column++) {
        const [p, q] = [scoreA(row, column), scoreB(row, column)]
        const [seenByA, seenByB] = [p >= leastA, q >= leastB]
        if (seenByA && seenByB) counts.agree++
        else if (seenByA) {
          counts.onlyActive++
          left.add(row, column, p)
        } else if (seenByB) {
          counts.onlyCandidate++
          right.add(row, column, q)
        }
      }
    onlyActive.push(...left.seen())
    onlyCandidate.push(...right.seen())
    return { label, ...counts, iouSum: 0 }
  })
  const differing = classes.reduce((sum, one) => sum + one.onlyActive + one.onlyCandidate, 0)
  return {
    unit: active.decoded.kind === 'grid' && candidate.decoded.kind === 'grid' ? 'cells' : 'pixels',
    classes,
    score: differing / (rows * columns) < leastShare ? 0 : scoreOf(classes),
    onlyActive: surest(onlyActive),
    onlyCandidate: surest(onlyCandidate),
  }
}

const rasterOf = (decoded: Decoded): Raster | undefined => {
  if (decoded.kind === 'mask') {
    const { width, height, scores, label } = decoded
    return { rows: height, columns: width, labels: [label], at: (_, row, column) => scores[row * width + column]! }
  }
  if (decoded.kind !== 'grid') return undefined
  const { rows, columns, scores, labels } = decoded
  return { rows, columns, labels, at: (label, row, column) => scores[(label * rows + row) * columns + column]! }
}

/** The score at the middle of each point of a common raster; a label the model does not know is nowhere. */
const reader = (raster: Raster, label: string, rows: number, columns: number) => {
  const index = raster.labels.indexOf(label)
  if (index < 0) return () => Number.NEGATIVE_INFINITY
  return (row: number, column: number): number =>
    raster.at(
      index,
      Math.floor(((row + 0.5) / rows) * raster.rows),
      Math.floor(((column + 0.5) / columns) * raster.columns),
    )
}

/** The box around the points that were added, with their highest score. */
const regionOf = (label: string, rows: number, columns: number) => {
  let [top, left, bottom, right, most] = [rows, columns, -1, -1, 0]
  return {
    add(row: number, column: number, score: number): void {
      top = Math.min(top, row)
      bottom = Math.max(bottom, row)
      left = Math.min(left, column)
      right = Math.max(right, column)
      most = Math.max(most, score)
    },
    seen: (): readonly Seen[] =>
      bottom < 0
        ? []
        : [
            {
              label,
              confidence: Math.min(1, most),
              box: [left / columns, top / rows, (right - left + 1) / columns, (bottom - top + 1) / rows],
            },
          ],
  }
}
