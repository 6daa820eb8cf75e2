import { averagePrecision, type PrPoint, prPoint } from '../metrics/average-precision.js'
import { iouOf, mean } from '../metrics/overlap.js'
import { auc, recallAtFpr } from '../metrics/roc.js'
import { curve, type Judgement, type PixelCurve } from './judge.js'

/** False-alarm rates at which recall is quoted. */
export const quotedRates = [0.01, 0.05] as const

/** What precision and recall count: boxes of detectors, pixels of masks, otherwise pictures. */
export type PrUnit = 'boxes' | 'pixels' | 'pictures'

export interface LabelFigures {
  /** Of boxes; null for models without boxes. */
  readonly ap50: number | null
  /** Of pictures: those that show the label against those that do not. */
  readonly auc: number | null
  readonly recallAtFpr: Readonly<Record<string, number | null>>
  /** Masks and grids: of all pixels or cells of the set. Detectors: mean overlap of the boxes that found something. */
  readonly iou: number | null
  readonly shown: number
  readonly notShown: number
  readonly boxes: number
  readonly prUnit: PrUnit
  /** At the package's own thresholds: what the agent would report. */
  readonly asReported: PrPoint
  readonly pr: readonly PrPoint[]
  /** Of true boxes, by their height in the picture; empty for models without boxes. */
  readonly recallByHeight: readonly HeightBand[]
}

export interface HeightBand {
  /** Pixels; null: no limit. */
  readonly fromPx: number
  readonly belowPx: number | null
  readonly boxes: number
  /** At the package's thresholds, and from a confidence of 0.25 on. Null when there is no such box. */
  readonly asReported: number | null
  readonly at025: number | null
}

/** Small ones are hard for every detector, and of the smallest a traffic camera shows most. */
const bandEdges = [0, 20, 40] as const

export const figuresOf = (
  judgements: readonly Judgement[],
  { boxes: ofBoxes, threshold }: { readonly boxes: boolean; readonly threshold: number },
): LabelFigures => {
  const shown = judgements.filter(judgement => judgement.shown).map(({ score }) => score)
  const notShown = judgements.filter(judgement => !judgement.shown).map(({ score }) => score)
  const hits = judgements.flatMap(judgement => judgement.hits)
  const counted = judgements.flatMap(judgement => judgement.reported)
  const boxes = judgements.reduce((sum, { truths }) => sum + truths, 0)
  const pictures = judgements.map(({ shown, compared }) => ({ confidence: compared, iou: shown ? 1 : 0 }))
  // Pictures whose class is known but not where it is have no boxes to be found.
  const located = ofBoxes && boxes > 0
  const masks = judgements.flatMap(({ pixels }) => (pixels ? [pixels] : []))
  // False alarms alone are no measure of pixels, as of overlap.
  const drawn = judgements.some(({ shown, pixels }) => shown && pixels)
  const points = (unit: PrUnit): { readonly pr: readonly PrPoint[]; readonly asReported: PrPoint } => {
    if (unit === 'pixels') {
      const all = [...curve, threshold].map((confidence, level) => pixelPoint(masks, level, confidence))
      return { pr: all.slice(0, -1), asReported: all.at(-1)! }
    }
    if (unit === 'pictures') {
      const at = (confidence: number): PrPoint => prPoint(pictures, shown.length, confidence)
      return { pr: curve.map(at), asReported: at(threshold) }
    }
    return {
      pr: curve.map(confidence => prPoint(hits, boxes, confidence)),
      asReported: { ...prPoint(counted, boxes, 0), confidence: threshold },
    }
  }
  const prUnit: PrUnit = drawn ? 'pixels' : located ? 'boxes' : 'pictures'
  return {
    ap50: located ? averagePrecision(hits, boxes) : null,
    auc: auc(shown, notShown),
    recallAtFpr: Object.fromEntries(quotedRates.map(rate => [String(rate), recallAtFpr(shown, notShown, rate)])),
    iou: ofBoxes ? mean(counted.filter(({ iou }) => iou > 0).map(({ iou }) => iou)) : pixelIou(judgements),
    shown: shown.length,
    notShown: notShown.length,
    boxes,
    prUnit,
    ...points(prUnit),
    recallByHeight: located ? bandEdges.map((_, i) => heightBand(judgements, i)) : [],
  }
}

const heightBand = (judgements: readonly Judgement[], band: number): HeightBand => {
  const [fromPx, belowPx] = [bandEdges[band]!, bandEdges[band + 1] ?? null]
  const inBand = judgements
    .flatMap(({ found }) => found)
    .filter(({ heightPx }) => heightPx >= fromPx && (belowPx === null || heightPx < belowPx))
  const share = (key: 'asReported' | 'quoted'): number | null =>
    inBand.length === 0 ? null : inBand.filter(truth => truth[key]).length / inBand.length
  return { fromPx, belowPx, boxes: inBand.length, asReported: share('asReported'), at025: share('quoted') }
}

const pixelPoint = (masks: readonly PixelCurve[], level: number, confidence: number): PrPoint => {
  const sum = (of: (mask: PixelCurve) => number): number => masks.reduce((total, mask) => total + of(mask), 0)
  const [found, right, truths] = [
    sum(mask => mask.found[level]!),
    sum(mask => mask.right[level]!),
    sum(mask => mask.truths),
  ]
  return { confidence, precision: found === 0 ? null : right / found, recall: truths === 0 ? null : right / truths }
}

/** Null unless at least one picture that shows the thing says where it is: false alarms alone are no measure of overlap. */
export const pixelIou = (judgements: readonly Judgement[]): number | null =>
  judgements.some(({ shown, overlap }) => shown && overlap)
    ? iouOf(judgements.flatMap(({ overlap }) => (overlap ? [overlap] : [])))
    : null
