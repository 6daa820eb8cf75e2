import { type Static, Type } from '@sinclair/typebox'
import type { Box } from '@watchpost/shared/contracts/primitives'
import type { ModelManifest } from '@watchpost/shared/manifest/model-manifest'
import type { Detection } from '../inference-result.js'
import type { InputGeometry } from '../preprocess/preprocess.js'

/** Options that all detectors share. */
export const detectorOptions = {
  keep: Type.Optional(
    Type.Array(Type.String(), { minItems: 1, description: 'Labels that are reported; default: all of them.' }),
  ),
  rename: Type.Record(Type.String(), Type.String(), {
    default: {},
    description: 'Label of the model → label that is reported.',
  }),
  sameObject: Type.Array(Type.Array(Type.String(), { minItems: 2 }), {
    default: [],
    description: 'Labels of which only the most confident is kept where boxes overlap, e.g. car and truck.',
  }),
  withRider: Type.Array(Type.String(), {
    default: [],
    description: 'Labels whose boxes hold the rider as well, because the model was trained so.',
  }),
  iou: Type.Number({ minimum: 0, maximum: 1, default: 0.5, description: 'Overlap beyond which boxes are one object.' }),
  inside: Type.Number({
    minimum: 0,
    maximum: 1,
    default: 1,
    description: 'A box of which more than this share lies in a surer one, or around one, is part of that object.',
  }),
  maxDetections: Type.Integer({ minimum: 1, maximum: 1000, default: 100 }),
}
const DetectorOptions = Type.Object(detectorOptions)
export type DetectorOptions = Static<typeof DetectorOptions>

export const defaultThreshold = 0.3

/** A kept class: its channel, its least confidence, its name outside and the group it is told apart from. */
export interface KeptClass {
  readonly channel: number
  readonly label: string
  readonly threshold: number
  readonly group: number
  readonly withRider: boolean
}

export const keptClasses = ({ labels, thresholds }: ModelManifest, options: DetectorOptions): readonly KeptClass[] =>
  labels
    .map((label, channel) => ({
      channel,
      label: options.rename[label] ?? label,
      threshold: thresholds[label] ?? thresholds.default ?? defaultThreshold,
      group: groupOf(label, channel, options),
      withRider: options.withRider.includes(label),
      kept: options.keep?.includes(label) ?? true,
    }))
    .filter(({ kept }) => kept)

// Labels that stand alone are their own group; shared groups count down from -1.
const groupOf = (label: string, channel: number, { sameObject }: DetectorOptions): number => {
  const index = sameObject.findIndex(labels => labels.includes(label))
  return index < 0 ? channel : -1 - index
}

export const labelProblems = (manifest: ModelManifest, options: DetectorOptions): readonly string[] =>
  [
    ...(options.keep ?? []).map(label => ['keep', label] as const),
    ...Object.keys(options.rename).map(label => ['rename', label] as const),
    ...options.sameObject.flat().map(label => ['sameObject', label] as const),
    ...options.withRider.map(label => ['withRider', label] as const),
  ]
    .filter(([, label]) => !manifest.labels.includes(label))
    .map(
      ([option, label]) => `decoder.${option} names "${label}", which is not among the labels; correct or remove it.`,
    )

/** A box in input pixels, by its edges, before overlaps are resolved. */
export interface Candidate {
  readonly kept: KeptClass
  readonly confidence: number
  readonly left: number
  readonly top: number
  readonly right: number
  readonly bottom: number
}

/** Candidates become detections: the surest first, overlapping ones of a group dropped, cut to the frame. */
export const resolve = (
  candidates: readonly Candidate[],
  geometry: InputGeometry,
  options: DetectorOptions,
): readonly Detection[] => {
  const sorted = candidates.toSorted((a, b) => b.confidence - a.confidence)
  const chosen: Candidate[] = []
  for (const candidate of sorted) {
    if (chosen.length === options.maxDetections) break
    const isNew = (other: Candidate): boolean =>
      other.kept.group !== candidate.kept.group || isApart(other, candidate, options)
    if (chosen.every(isNew)) chosen.push(candidate)
  }
  return chosen.flatMap(candidate => {
    const box = boxOf(candidate, geometry)
    if (!box) return []
    const { label, withRider } = candidate.kept
    return [{ label, confidence: candidate.confidence, box, ...(withRider && { withRider }) }]
  })
}

type Edges = Pick<Candidate, 'left' | 'top' | 'right' | 'bottom'>

const isApart = (a: Edges, b: Edges, { iou, inside }: DetectorOptions): boolean => {
  const both = intersection(a, b)
  return both <= iou * (area(a) + area(b) - both) && both <= inside * Math.min(area(a), area(b))
}

const area = ({ left, top, right, bottom }: Edges): number => (right - left) * (bottom - top)

const intersection = (a: Edges, b: Edges): number => {
  const width = Math.min(a.right, b.right) - Math.max(a.left, b.left)
  const height = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top)
  return width > 0 && height > 0 ? width * height : 0
}

/** Intersection over union of two boxes. */
export const overlapOfBoxes = (a: Box, b: Box): number => {
  const both = intersection(edgesOf(a), edgesOf(b))
  return both === 0 ? 0 : both / (a[2] * a[3] + b[2] * b[3] - both)
}
const edgesOf = ([left, top, width, height]: Box) => ({ left, top, right: left + width, bottom: top + height })

const boxOf = ({ left, top, right, bottom }: Candidate, geometry: InputGeometry): Box | undefined => {
  const x = clamp(left / geometry.contentWidth)
  const y = clamp(top / geometry.contentHeight)
  const width = clamp(right / geometry.contentWidth) - x
  const height = clamp(bottom / geometry.contentHeight) - y
  return width > 0 && height > 0 ? [x, y, width, height] : undefined
}

const clamp = (value: number): number => Math.min(1, Math.max(0, value))
