import { decodedKind } from '@watchpost/edge/inference/decoders/decoder-options'
import type { ModelManifest } from '@watchpost/shared/manifest/model-manifest'

/** What a package reports, which differs from its labels where the decoder keeps some, renames some or gives one mask. */
export interface ReportedLabel {
  readonly name: string
  /** Least confidence that the agent reports or that analytics take as seen. */
  readonly threshold: number
}

/** Where the manifest says nothing; the first is the detectors' own. */
const detectorDefault = 0.3
const scoreDefault = 0.5

export const isDetector = (manifest: ModelManifest): boolean => decodedKind(manifest) === 'detections'
export const givesMask = (manifest: ModelManifest): boolean => decodedKind(manifest) === 'mask'

export const reportedLabels = (manifest: ModelManifest): readonly ReportedLabel[] => {
  const {
    keep,
    rename = {},
    label,
  } = manifest.decoder as {
    readonly keep?: readonly string[]
    readonly rename?: Readonly<Record<string, string>>
    readonly label?: string
  }
  const fallback = manifest.thresholds.default ?? (isDetector(manifest) ? detectorDefault : scoreDefault)
  const labels = givesMask(manifest) ? [label ?? manifest.labels[0]!] : manifest.labels
  const found = new Map<string, number>()
  for (const own of labels.filter(own => keep?.includes(own) ?? true)) {
    const name = rename[own] ?? own
    found.set(name, Math.min(found.get(name) ?? 1, manifest.thresholds[own] ?? fallback))
  }
  return [...found].map(([name, threshold]) => ({ name, threshold }))
}

/** Detectors leave out what lies below their thresholds; curves need all of it. */
export const withWholeCurve = (manifest: ModelManifest): ModelManifest =>
  isDetector(manifest) ? { ...manifest, thresholds: { default: wholeCurveFrom } } : manifest

/** Below it a detector's boxes are noise by the thousand, and average precision no longer changes. */
export const wholeCurveFrom = 0.01
