import { type Static, Type } from '@sinclair/typebox'
import { Box, Fraction, Id, Sha256, UtcTime } from './primitives.js'

const object = <T extends Record<string, import('@sinclair/typebox').TSchema>>(properties: T) =>
  Type.Object(properties, { additionalProperties: false })
const count = (description?: string) =>
  Type.Integer({ minimum: 0, ...(description === undefined ? {} : { description }) })
const Model = object({
  id: Id,
  version: Type.String({ maxLength: 40 }),
  sha256: Sha256,
  digest: Type.Union([Sha256, Type.Null()]),
})
const Latency = Type.Union([object({ p50: Type.Number(), p95: Type.Number() }), Type.Null()])
const Seen = Type.Array(object({ label: Type.String({ maxLength: 64 }), confidence: Fraction, box: Box }), {
  maxItems: 20,
})

/** How often one class was seen by both models, by the active one alone, by the candidate alone. */
export const ClassAgreement = object({
  label: Type.String({ maxLength: 64 }),
  agree: count(),
  onlyActive: count(),
  onlyCandidate: count(),
  iou: Type.Union([Fraction, Type.Null()], {
    description: 'Objects: mean over matched boxes. Cells and pixels: of the areas of all frames together.',
  }),
})

/** A frame the two models judged differently. */
export const Disagreement = object({
  cameraId: Id,
  takenAt: UtcTime,
  score: Type.Number({ minimum: 0, maximum: 1, description: '1: nothing in common.' }),
  thumbnail: Type.Union([Sha256, Type.Null()], { description: 'A small JPEG at central’s evidence, by its hash.' }),
  onlyActive: Seen,
  onlyCandidate: Seen,
})

/** One candidate beside the active model, on the same live frames. */
export const ShadowReport = Type.Object(
  {
    model: Type.String({ ...Id, description: 'Id of the model in the agent’s configuration.' }),
    startedAt: UtcTime,
    at: UtcTime,
    active: Model,
    candidate: Model,
    unit: Type.Union(
      ['objects', 'cells', 'pixels', 'classes'].map(unit => Type.Literal(unit)),
      { description: 'What the classes count.' },
    ),
    frames: object({
      offered: count('= compared + skipped + failed + waiting, at all times'),
      compared: count(),
      skipped: object({
        budget: count('A newer frame took its place while the candidate had used up its share of a core.'),
        busy: count('A newer frame took its place while the candidate was at another one.'),
        stopped: count('The run ended, or the candidate was lost, before their turn or their answer.'),
      }),
      failed: count('The candidate could not judge them.'),
      waiting: count(),
    }),
    cameras: Type.Array(object({ cameraId: Id, compared: count() }), { maxItems: 256 }),
    agreement: Type.Union([Fraction, Type.Null()], {
      description: 'agree / (agree + onlyActive + onlyCandidate) over all classes; null: nothing was seen yet.',
    }),
    classes: Type.Array(ClassAgreement, { maxItems: 200 }),
    latencyMs: object({ active: Latency, candidate: Latency }),
    cpu: object({
      allowedShare: Type.Number(),
      usedShare: Type.Number({ description: 'Of one core, since the run began.' }),
      msPerFrame: Type.Union([Type.Number(), Type.Null()]),
    }),
    disagreements: Type.Array(Disagreement, { maxItems: 12, description: 'The worst ones, worst first.' }),
  },
  { $id: 'ShadowReport', additionalProperties: false },
)

/** Channel `shadow`, retained: every run of the agent. An empty list clears it. */
export const ShadowReports = Type.Object(
  { at: UtcTime, reports: Type.Array(ShadowReport, { maxItems: 8 }) },
  { $id: 'ShadowReports', additionalProperties: false },
)

export type ClassAgreement = Static<typeof ClassAgreement>
export type Disagreement = Static<typeof Disagreement>
export type ShadowReport = Static<typeof ShadowReport>
export type ShadowReports = Static<typeof ShadowReports>

export const shadowReportExample: ShadowReport = {
  model: 'vehicles',
  startedAt: '2026-10-27T03:00:00.000Z',
  at: '2026-10-27T03:10:00.000Z',
  active: {
    id: 'vehicles',
    version: '0.1.0',
    sha256: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
    digest: null,
  },
  candidate: {
    id: 'vehicles',
    version: '0.2.0',
    sha256: '60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752',
    digest: 'fd61a03af4f77d870fc21e05e7e80678095c92d808cfb3b5c279ee04c74aca13',
  },
  unit: 'objects',
  frames: {
    offered: 4800,
    compared: 2388,
    skipped: { budget: 2397, busy: 13, stopped: 0 },
    failed: 1,
    waiting: 1,
  },
  cameras: [{ cameraId: 'le-loi-1', compared: 2388 }],
  agreement: 0.91,
  classes: [{ label: 'motorbike', agree: 9100, onlyActive: 310, onlyCandidate: 590, iou: 0.87 }],
  latencyMs: { active: { p50: 44.1, p95: 61.2 }, candidate: { p50: 31.5, p95: 40.2 } },
  cpu: { allowedShare: 0.25, usedShare: 0.13, msPerFrame: 31.9 },
  disagreements: [
    {
      cameraId: 'le-loi-1',
      takenAt: '2026-10-27T03:04:05.678Z',
      score: 0.8,
      thumbnail: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
      onlyActive: [],
      onlyCandidate: [{ label: 'motorbike', confidence: 0.62, box: [0.41, 0.52, 0.06, 0.11] }],
    },
  ],
}
export const shadowReportsExample: ShadowReports = { at: '2026-10-27T03:10:00.000Z', reports: [shadowReportExample] }
