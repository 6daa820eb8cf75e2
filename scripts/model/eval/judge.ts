import type { Box } from '@watchpost/shared/contracts/primitives'
import type { Decoded, Detection } from '@watchpost/edge/inference/inference-result'
import type { Sample } from '../data/data-set.js'
import type { Subject } from '../data/label-map.js'
import { type Mask, reduceMask } from '../data/masks.js'
import { type Hit, hitsOf, type Match } from '../metrics/average-precision.js'
import { iouOf, type Overlap, overlapOf } from '../metrics/overlap.js'
import { mergeDetections, mergeTruth } from './merge-riders.js'

/** What one picture says about one subject. */
export interface Judgement {
  readonly shown: boolean
  /** Of the picture: highest confidence; of a grid the mean of its highest cells; of a mask the share of the picture. */
  readonly score: number
  /** What the agent compares with the threshold: of a grid the highest cell, else the score. */
  readonly compared: number
  /** Detectors: one per detection. */
  readonly hits: readonly Hit[]
  /** Those that the agent would report. */
  readonly reported: readonly Hit[]
  readonly truths: number
  /** Detectors: one per true box. */
  readonly found: readonly TruthFound[]
  /** Masks and grids, where the truth says where the thing is. */
  readonly overlap: Overlap | null
  /** Masks, where the truth says where the thing is: pixels found and right at each confidence of the curve, and pixels to be found. */
  readonly pixels: PixelCurve | null
  /** 0: nothing wrong; for the order of the worst pictures. */
  readonly error: number
  /** What is wrong, for the contact sheet. */
  readonly words: string
}

export interface TruthFound {
  /** Of its box, in pixels of the picture. */
  readonly heightPx: number
  readonly asReported: boolean
  /** By detections from `quotedConfidence` on. */
  readonly quoted: boolean
}

/** A second confidence at which recall by height is quoted: packages differ in their own. */
export const quotedConfidence = 0.25

export interface PixelCurve {
  /** One per confidence of `curve`, then at the package's threshold. */
  readonly found: readonly number[]
  readonly right: readonly number[]
  readonly truths: number
}

/** Confidences at which precision and recall are quoted. */
export const curve: readonly number[] = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]

export interface JudgeOptions {
  readonly subject: Subject
  readonly thresholdOf: (label: string) => number
  /** Rider and motorbike count as one, in what was found and in the truth. */
  readonly mergesRiders: boolean
  readonly pictureHeight: number
}

/** Specks of a mask do not make a picture one that shows the thing. */
const leastShare = 0.001

export const judge = (decoded: Decoded, sample: Sample, mask: Mask | undefined, options: JudgeOptions): Judgement => {
  const { subject } = options
  const shown = mask
    ? mask.pixels.reduce((sum, value) => sum + value, 0) > leastShare * mask.pixels.length
    : sample.shows.some(name => subject.classes.has(name))
  const ofSubject = sample.boxes.filter(({ className }) => subject.classes.has(className))
  const crowds = ofSubject.filter(({ crowd }) => crowd).map(({ box }) => box)
  const single = sample.boxes.filter(({ crowd }) => !crowd)
  const boxes = options.mergesRiders ? mergeTruth(single) : single
  const truth = boxes.filter(({ className }) => subject.classes.has(className)).map(({ box }) => box)
  if (decoded.kind === 'detections') return judgeBoxes(decoded, shown, truth, crowds, options)
  if (decoded.kind === 'mask') return judgeMask(decoded, shown, mask, options)
  if (decoded.kind === 'grid') return judgeGrid(decoded, shown, [...truth, ...crowds], options)
  const score = Math.max(...subject.labels.map(label => decoded.scores[label] ?? 0))
  return ofPicture(shown, score, null)
}

/** How much of `box` lies in `region`. */
const shareInside = ([x, y, width, height]: Box, region: Box): number => {
  const along = (from: number, to: number, low: number, high: number): number =>
    Math.max(0, Math.min(to, high) - Math.max(from, low))
  const wide = along(x, x + width, region[0], region[0] + region[2])
  const tall = along(y, y + height, region[1], region[1] + region[3])
  return (wide * tall) / (width * height)
}

type Of<K extends Decoded['kind']> = Extract<Decoded, { readonly kind: K }>

const ofPicture = (shown: boolean, score: number, overlap: Overlap | null): Judgement => ({
  shown,
  score,
  compared: score,
  hits: [],
  reported: [],
  truths: 0,
  found: [],
  overlap,
  pixels: null,
  error: shown ? 1 - score : score,
  words: `${shown ? 'shown' : 'not shown'}, score ${score.toFixed(2)}`,
})

const judgeBoxes = (
  { detections }: Of<'detections'>,
  shown: boolean,
  truth: readonly Box[],
  crowds: readonly Box[],
  { subject, thresholdOf, mergesRiders, pictureHeight }: JudgeOptions,
): Judgement => {
  const ofSubject = (from: (label: string) => number): readonly Detection[] => {
    const sure = detections.filter(({ label, confidence }) => confidence >= from(label))
    return (mergesRiders ? mergeDetections(sure) : sure)
      .filter(({ label }) => subject.labels.includes(label))
      .toSorted((a, b) => b.confidence - a.confidence)
  }
  // What is merged depends on what is there, and the agent merges after its thresholds: from 0 on there is a faint motorcycle
  // under every walker, and none would be left.
  const found = ofSubject(mergesRiders ? thresholdOf : () => 0)
  const matches = hitsOf(found, truth)
  // As COCO counts: of many that nobody drew one by one, none is a false alarm.
  const inCrowd = ({ box }: Detection): boolean => crowds.some(crowd => shareInside(box, crowd) >= 0.5)
  const counts = matches.map(({ truth }, i) => truth !== null || !inCrowd(found[i]!))
  const hits = matches.filter((_, i) => counts[i])
  const reported = matches.filter(({ confidence }, i) => counts[i] && confidence >= thresholdOf(found[i]!.label))
  const quoted = hitsOf(
    ofSubject(() => quotedConfidence),
    truth,
  )
  const foundBy = (matches: readonly Match[], truth: number): boolean => matches.some(match => match.truth === truth)
  const right = reported.filter(({ iou }) => iou > 0).length
  const wrong = reported.length - right
  const missed = truth.length - right
  const seen = truth.length + right + wrong
  return {
    shown,
    score: found[0]?.confidence ?? 0,
    compared: found[0]?.confidence ?? 0,
    hits,
    reported,
    truths: truth.length,
    found: truth.map((box, i) => ({
      heightPx: box[3] * pictureHeight,
      asReported: foundBy(reported, i),
      quoted: foundBy(quoted, i),
    })),
    overlap: null,
    pixels: null,
    // Many errors on a full street weigh more than one on an empty one, and both more than none.
    error: seen === 0 ? 0 : ((missed + wrong) / seen) * Math.log2(1 + missed + wrong),
    words: `${missed} of ${truth.length} missed, ${wrong} wrong`,
  }
}

const judgeMask = (
  { width, height, scores, label }: Of<'mask'>,
  shown: boolean,
  mask: Mask | undefined,
  { thresholdOf }: JudgeOptions,
): Judgement => {
  const threshold = thresholdOf(label)
  const found = Array.from(scores, score => score > threshold)
  const share = found.filter(Boolean).length / found.length
  // Of a picture that shows it nobody knows where without a mask; in one that does not, nowhere.
  if (!mask && shown) return ofPicture(shown, share, null)
  const truth = mask ? reduceMask(mask, width, height).pixels : new Uint8Array(width * height)
  const overlap = overlapOf(found, truth)
  const iou = iouOf([overlap])
  return {
    ...ofPicture(shown, share, overlap),
    pixels: pixelCurve(scores, truth, threshold),
    error: shown ? 1 - (iou ?? 1) : share,
    words: shown ? `IoU ${(iou ?? 1).toFixed(2)}` : `not shown, ${(share * 100).toFixed(0)} % called ${label}`,
  }
}

const pixelCurve = (scores: Float32Array, truth: Uint8Array, threshold: number): PixelCurve => {
  const levels = [...curve, threshold]
  const found = levels.map(() => 0)
  const right = levels.map(() => 0)
  for (let i = 0; i < scores.length; i++)
    for (let level = 0; level < levels.length; level++)
      if (scores[i]! > levels[level]!) {
        found[level]!++
        right[level]! += truth[i]!
      }
  return { found, right, truths: truth.reduce((sum, value) => sum + value, 0) }
}

/**
 * Mean of the highest hundredth of a label's cells, one at least. What burns fills neighbouring cells, a trick of the light seldom
 * more than one: by the highest cell alone far plumes of real mountain-top cameras hardly stand out of frames with sun in the lens.
 */
const meanOfHighest = (cells: Float32Array): number => {
  const highest = cells.toSorted().slice(-Math.ceil(cells.length / 100))
  return highest.reduce((sum, value) => sum + value, 0) / highest.length
}

const judgeGrid = (
  { labels, rows, columns, scores }: Of<'grid'>,
  shown: boolean,
  truth: readonly Box[],
  { subject, thresholdOf }: JudgeOptions,
): Judgement => {
  const channels = subject.labels.map(label => labels.indexOf(label)).filter(channel => channel >= 0)
  const cells = rows * columns
  const found = new Array<boolean>(cells).fill(false)
  let compared = 0
  for (const channel of channels)
    for (let i = 0; i < cells; i++) {
      const value = scores[channel * cells + i]!
      compared = Math.max(compared, value)
      if (value >= thresholdOf(labels[channel]!)) found[i] = true
    }
  const score = Math.max(
    0,
    ...channels.map(channel => meanOfHighest(scores.subarray(channel * cells, (channel + 1) * cells))),
  )
  const isTrue = Array.from({ length: cells }, (_, i) => {
    const [x, y] = [((i % columns) + 0.5) / columns, (Math.floor(i / columns) + 0.5) / rows]
    return truth.some(([left, top, width, height]) => x >= left && x < left + width && y >= top && y < top + height)
  })
  // A picture of which only the class is known says nothing about cells.
  const overlap = shown && truth.length === 0 ? null : overlapOf(found, isTrue)
  return { ...ofPicture(shown, score, overlap), compared, truths: truth.length }
}
