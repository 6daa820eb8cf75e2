import type { Box } from '@watchpost/shared/contracts/primitives'
import { largestRegion } from './grid-region.js'
import { mean } from './statistics.js'
import type { Unusual } from './usual-scores.js'

export interface PlumeGrid {
  readonly columns: number
  readonly rows: number
  /** Scores of one label, row by row. */
  readonly scores: Float32Array
}

export interface PlumeEvidence {
  /** Enough in this frame to tell of a plume. */
  readonly isEnough: boolean
  /** Share of the zone under the plume itself, 0..1. */
  readonly share: number
  readonly plume: SeenPlume | null
}

export interface SeenPlume {
  readonly box: Box
  /** Where it stands, as a share of the picture's width: wind moves its top, not its foot. */
  readonly footX: number
  readonly confidence: number
}

export interface EvidenceOptions {
  /** Of the model, for its label. */
  readonly threshold: number
  /** A cell of a lower score is no part of a plume, however unusual it is. */
  readonly leastScore: number
  /** Log-odds by which cells must rise to tell of a plume that begins; Infinity where that tells nothing. */
  readonly leastRise: number
  /** Evidence asked for is divided by it. */
  readonly sensitivity: number
  /** Least share of the zone that counts, 0..1. */
  readonly minShare: number
}

/** Log-odds summed over connected cells: what a calm zone asks for, and what one adds that is restless all over. */
const calmEvidence = 1.3
const restlessEvidence = 50
/** A chimney or a lamp in a corner does not make a zone restless. */
const restlessShare = 0.1
/** Evidence scattered over several places counts less, down to a half: haze and glare come in patches, a fire at one place. */
const mostScattered = 2
/** What a plume must show that stays at its place: nothing that drifts past shows as much, unless there is fog all over. */
const lastingEvidence = 2.5
/** What must rise out of a restless zone, most of it at one place: fog drifts along the rows it is in, a plume leaves them. */
const risenEvidence = 2.5
/** Rows are free of fog where none is within this share of the picture's width. */
const besideShare = 0.3
/** The plume's own cells score at least half as much as its surest one; a model sees a halo around it. */
const haloShare = 0.5

/**
 * What stands out together in one zone, and whether it is enough for a plume: the model is sure where it usually finds
 * nothing, or it is not sure but sees more than usual at one place for some 20 frames, or less than that for long, or above fog, or more and
 * more within seconds while all around stays as it was.
 */
export const plumeEvidence = (
  { columns, rows, scores }: PlumeGrid,
  cells: readonly number[],
  { above, evidence, lasting, score, restless, isWide, rise, wasRestless }: Unusual,
  { threshold, leastScore, leastRise, sensitivity, minShare }: EvidenceOptions,
): PlumeEvidence => {
  const together = (some: readonly number[]) => largestRegion(some, columns, rows)?.cells ?? []
  const standing = (of: Float32Array) => cells.filter(cell => of[cell]! > 0 && score[cell]! >= leastScore)
  const sum = (of: Float32Array, some: readonly number[]) => some.reduce((total, cell) => total + of[cell]!, 0)

  const sure = cells.filter(cell => scores[cell]! >= threshold && above[cell]! > 0)
  const standingNow = standing(evidence)
  const wasCalm = mean(cells.map(cell => wasRestless[cell]!)) <= restlessShare
  const rising = wasCalm && !isWide ? cells.filter(cell => rise[cell]! * sensitivity >= leastRise) : []
  const now = [...new Set([...standingNow, ...sure, ...rising])]
  const restlessness = Math.max(0, mean(cells.map(cell => restless[cell]!)) - restlessShare)
  const isCalm = restlessness === 0
  const [newest, stays] = [together(now), together(isCalm ? standing(lasting) : [])]
  const aboveFog = isCalm ? [] : standingNow.filter(cell => !isBesideFog(cell, restless, columns))
  const risen = together(aboveFog)
  const rises = sum(evidence, risen)
  const hasRisen = rises * sensitivity >= risenEvidence && rises * 2 > sum(evidence, aboveFog)

  const isSure = isCalm && sure.length > 0 && sure.length >= minShare * cells.length
  const asked = calmEvidence + restlessEvidence * restlessness
  const shown = sum(evidence, newest)
  const scattered = Math.min(mostScattered, sum(evidence, now) / shown)
  const surestOf = (some: readonly number[]) => some.reduce((highest, cell) => Math.max(highest, score[cell]!), 0)
  // A close fire may fill the picture; then the model itself is sure.
  const isLocal = !isWide || surestOf(newest) >= threshold
  const isPlain = shown > 0 && isLocal && shown * sensitivity >= asked * scattered
  const isLasting = sum(lasting, stays) * sensitivity >= lastingEvidence

  /** What is seen around cells now, else the cells alone. */
  const around = (some: readonly number[]) => (some.some(cell => newest.includes(cell)) ? newest : together(some))
  // The place is the one that gives the evidence, whatever else flickers elsewhere.
  const places = [
    hasRisen ? risen : [],
    around(rising),
    isPlain ? newest : [],
    isSure ? around(sure) : [],
    isLasting ? around(stays) : [],
    newest,
  ]
  const group = places.find(place => place.length > 0) ?? stays
  const surest = surestOf(group)
  const plume = largestRegion(
    group.filter(cell => score[cell]! >= surest * haloShare),
    columns,
    rows,
  )
  const share = (plume?.cells.length ?? 0) / cells.length

  return {
    isEnough: isSure || (share > 0 && share >= minShare && (isPlain || isLasting || hasRisen || rising.length > 0)),
    share,
    plume: plume && {
      box: plume.box,
      footX: footOf(plume.cells, columns),
      confidence: mean(plume.cells.map(cell => score[cell]!)),
    },
  }
}

const isBesideFog = (cell: number, restless: Float32Array, columns: number): boolean => {
  const [column, reach] = [cell % columns, Math.round(besideShare * columns)]
  const row = restless.subarray(cell - column, cell - column + columns)
  return row.subarray(Math.max(0, column - reach), column + reach + 1).some(one => one > 0)
}

/** Middle of the lowest row of cells. */
const footOf = (cells: readonly number[], columns: number): number => {
  const lowest = Math.floor(Math.max(...cells) / columns)
  return mean(
    cells.filter(cell => Math.floor(cell / columns) === lowest).map(cell => ((cell % columns) + 0.5) / columns),
  )
}
