import { type Static, Type } from '@sinclair/typebox'
import { EventKind } from '../contracts/event.js'
import { Box, Id, Sha256, UtcTime } from '../contracts/primitives.js'
import { Verdict } from './incidents.js'
import { verdictValues } from './verdict-values.js'

/** Verdicts seen as labels: how right the models were, and pictures with boxes to train the next one on. */
const strict = { additionalProperties: false } as const
const nullable = <T extends import('@sinclair/typebox').TSchema>(schema: T) => Type.Union([schema, Type.Null()])
const VerdictValue = Type.Union(verdictValues.map(value => Type.Literal(value)))
const Count = Type.Integer({ minimum: 0 })

const filter = {
  camera: Type.Optional(Type.Array(Id)),
  kind: Type.Optional(Type.Array(EventKind)),
  model: Type.Optional(Id),
  modelVersion: Type.Optional(Type.String({ maxLength: 40 })),
  from: Type.Optional(UtcTime),
  to: Type.Optional(UtcTime),
}

export const PrecisionQuery = Type.Object(filter, strict)

/** `GET /api/v1/models/precision`. Each judged happening counts once, by its newest verdict. */
export const PrecisionRow = Type.Object({
  cameraId: Id,
  kind: EventKind,
  model: nullable(Type.Object({ id: Id, version: Type.String() })),
  true: Count,
  false: Count,
  unsure: Count,
  duplicate: Count,
  precision: nullable(Type.Number({ description: 'true / (true + false); null before there is either.' })),
  low: nullable(Type.Number({ description: 'Wilson score interval, 95 %.' })),
  high: nullable(Type.Number()),
  newestAt: UtcTime,
})
export const Precision = Type.Object({ items: Type.Array(PrecisionRow) }, { $id: 'Precision' })

/** `GET /api/v1/labels`: the judged happenings behind a count, newest verdict first. */
export const LabelQuery = Type.Object(
  {
    ...filter,
    verdict: Type.Optional(Type.Array(VerdictValue)),
    limit: Type.Integer({ minimum: 1, maximum: 200, default: 50 }),
    before: Type.Optional(Type.Integer({ minimum: 1, description: '`next` of the page before.' })),
  },
  strict,
)
export const Label = Type.Object({
  number: Type.Integer({ description: 'Of the verdict; counts up.' }),
  eventId: Type.String(),
  incidentId: nullable(Type.String()),
  cameraId: Id,
  kind: EventKind,
  model: PrecisionRow.properties.model,
  confidence: Type.Number(),
  phenomenonTime: UtcTime,
  pictureSha256: nullable(Sha256),
  verdict: Verdict,
})
export const LabelPage = Type.Object({ items: Type.Array(Label), next: nullable(Type.Integer()) })

export const exportFormats = ['coco', 'yolo'] as const
export const ExportQuery = Type.Object(
  {
    ...filter,
    format: Type.Union(
      exportFormats.map(name => Type.Literal(name)),
      { default: 'coco' },
    ),
    verdict: Type.Optional(
      Type.Array(VerdictValue, {
        description:
          'Without it: true and false. Like every filter it chooses pictures; their labels come from all verdicts on them.',
      }),
    ),
    images: Type.Union([Type.Literal('all'), Type.Literal('none')], {
      default: 'all',
      description: 'none: the COCO document alone.',
    }),
    withoutBoxes: Type.Union([Type.Literal('leave-out'), Type.Literal('include')], {
      default: 'leave-out',
      description: 'True events nobody drew a box for: known to show something, not where.',
    }),
    through: Type.Optional(
      Type.Integer({ minimum: 0, description: 'As of this verdict; repeats an export exactly (see its manifest).' }),
    ),
  },
  strict,
)

/** `manifest.json` of an export: what was asked for, what is in it, and everything that is not, with the reason. */
export const ExportManifest = Type.Object(
  {
    schemaVersion: Type.Literal(1),
    format: Type.String(),
    query: Type.Record(Type.String(), Type.Unknown()),
    through: Type.Integer(),
    events: Type.Record(Type.String(), Count, { description: 'Events that match, by verdict.' }),
    images: Type.Object({
      written: Count,
      hardNegatives: Count,
      withoutBoxes: Count,
      bytes: Type.Integer({ description: 'Of the pictures.' }),
    }),
    annotations: Count,
    leftOut: Type.Object({
      unsure: Count,
      duplicate: Count,
      notAsked: Type.Integer({ description: 'Events whose verdict the query does not name.' }),
      noPicture: Count,
      noBoxes: Type.Integer({ description: 'Pictures of true events without any box of their own.' }),
      missingPictures: Count,
      unreadablePictures: Count,
      sameBoxes: Type.Integer({ description: 'Boxes that another event of the same picture has too.' }),
    }),
    missing: Type.Array(
      Type.Object({
        sha256: Sha256,
        reason: Type.Union([Type.Literal('not-stored'), Type.Literal('not-a-readable-jpeg')]),
        eventIds: Type.Array(Type.String()),
        cameraId: Id,
        takenAt: UtcTime,
      }),
    ),
  },
  { $id: 'ExportManifest' },
)

/** `annotations.json`: COCO, with what COCO has no word for beside it. */
export const CocoDocument = Type.Object(
  {
    info: Type.Object({ description: Type.String(), version: Type.String(), contributor: Type.String() }),
    licenses: Type.Array(Type.Unknown()),
    images: Type.Array(
      Type.Object({
        id: Type.Integer({ minimum: 1 }),
        file_name: Type.String(),
        width: Type.Integer({ minimum: 1 }),
        height: Type.Integer({ minimum: 1 }),
        date_captured: UtcTime,
        sha256: Sha256,
        camera: Id,
        hardNegative: Type.Boolean({
          description: 'Nothing but what is surely not there (`absent`): it looks alike and has no box.',
        }),
        absent: Type.Array(Type.String(), { description: 'Labels that are surely not in the picture.' }),
        present: Type.Array(Type.String(), { description: 'Labels that are in it somewhere, without a box.' }),
        events: Type.Array(
          Type.Object({
            eventId: Type.String(),
            kind: EventKind,
            verdict: VerdictValue,
            verdictNumber: Type.Integer(),
            confidence: Type.Number(),
            model: PrecisionRow.properties.model,
            region: nullable(
              Type.Unsafe<Box>({
                ...Box,
                description: 'The part of the picture that the model looked at, 0..1; null: all of it.',
              }),
            ),
          }),
        ),
      }),
    ),
    annotations: Type.Array(
      Type.Object({
        id: Type.Integer({ minimum: 1 }),
        image_id: Type.Integer({ minimum: 1 }),
        category_id: Type.Integer({ minimum: 1 }),
        bbox: Type.Tuple([Type.Number(), Type.Number(), Type.Number(), Type.Number()], { description: 'In pixels.' }),
        area: Type.Number(),
        iscrowd: Type.Literal(0),
        segmentation: Type.Array(Type.Array(Type.Number())),
        source: Type.Union([Type.Literal('reviewer'), Type.Literal('model')]),
        eventId: Type.String(),
      }),
    ),
    categories: Type.Array(
      Type.Object({ id: Type.Integer({ minimum: 1 }), name: Type.String(), supercategory: Type.String() }),
    ),
    manifest: ExportManifest,
  },
  { $id: 'CocoDocument' },
)

/** `GET /api/v1/labels/exports`: who took labels out, each entry chained to the one before by its hash. */
export const ExportLogEntry = Type.Object({
  number: Type.Integer(),
  at: UtcTime,
  by: Type.String(),
  export: Type.Integer({ description: 'Number of the entry with which this export began.' }),
  action: Type.Union([Type.Literal('began'), Type.Literal('finished'), Type.Literal('broke-off')]),
  detail: Type.Record(Type.String(), Type.Unknown()),
  hash: Sha256,
})

export type PrecisionQuery = Static<typeof PrecisionQuery>
export type PrecisionRow = Static<typeof PrecisionRow>
export type LabelQuery = Static<typeof LabelQuery>
export type Label = Static<typeof Label>
export type LabelPage = Static<typeof LabelPage>
export type ExportQuery = Static<typeof ExportQuery>
export type ExportFormat = (typeof exportFormats)[number]
export type ExportManifest = Static<typeof ExportManifest>
export type CocoDocument = Static<typeof CocoDocument>
export type ExportLogEntry = Static<typeof ExportLogEntry>
