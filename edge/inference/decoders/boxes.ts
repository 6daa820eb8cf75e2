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
  iou: Type.Number({ minimum: 0, maximum: 1, default: 0.5, description: 'Overlap beyond which boxes are one object.' }),
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
}

export const keptClasses = ({ labels, thresholds }: ModelManifest, options: DetectorOptions): readonly KeptClass[] =>
  labels
    .map((label, channel) => ({
      channel,
      label: options.rename[label] ?? label,
      threshold: thresholds[label] ?? thresholds.default ?? defaultThreshold,
      group: groupOf(label, channel, options),
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
  { iou, maxDetections }: DetectorOptions,
): readonly Detection[] => {
  const sorted = candidates.toSorted((a, b) => b.confidence - a.confidence)
  const chosen: Candidate[] = []
  for (const candidate of sorted) {
    if (chosen.length === maxDetections) break
    if (chosen.every(other => other.kept.group !== candidate.kept.group || overlap(other, candidate) <= iou))
      chosen.push(candidate)
  }
  return chosen.flatMap(candidate => {
    const box = boxOf(candidate, geometry)
    return box ? [{ label: candidate.kept.label, confidence: candidate.confidence, box }] : []
  })
}

/** Intersection over union. */
export const overlap = (
  a: Omit<Candidate, 'kept' | 'confidence'>,
  b: Omit<Candidate, 'kept' | 'confidence'>,
): number => {
  const width = Math.min(a.right, b.right) - Math.max(a.left, b.left)
  const height = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top)
  if (width <= 0 || height <= 0) return 0
  const both = width * height
  return both / ((a.right - a.left) * (a.bottom - a.top) + (b.right - b.left) * (b.bottom - b.top) - both)
}

export const overlapOfBoxes = (a: Box, b: Box): number => overlap(edgesOf(a), edgesOf(b))
const edgesOf = ([left, top, width, height]: Box) => ({ left, top, right: left + width, bottom: top + height })

const boxOf = ({ left, top, right, bottom }: Candidate, geometry: InputGeometry): Box | undefined => {
  const x = clamp(left / geometry.contentWidth)
  const y = clamp(top / geometry.contentHeight)
  const width = clamp(right / geometry.contentWidth) - x
  const height = clamp(bottom / geometry.contentHeight) - y
  return width > 0 && height > 0 ? [x, y, width, height] : undefined
}

const clamp = (value: number): number => Math.min(1, Math.max(0, value))
