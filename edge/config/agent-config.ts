import { type Static, Type } from '@sinclair/typebox'
import { Box, Fraction, Id, ImagePoint, LonLat, Polygon, Severity } from '@watchpost/shared/contracts/primitives'

/** The schema of `agent.yaml`. The type is derived from it; every default stands here and nowhere else. */
const object = <T extends Record<string, import('@sinclair/typebox').TSchema>>(properties: T) =>
  Type.Object(properties, { additionalProperties: false })
const seconds = (defaultValue: number, description: string) =>
  Type.Number({ minimum: 0, maximum: 86_400, default: defaultValue, description })
const path = (description: string) => Type.String({ minLength: 1, description })
const fps = (defaultValue: number) =>
  Type.Number({ exclusiveMinimum: 0, maximum: 30, default: defaultValue, description: 'Frames per second analysed.' })

const RtspSource = object({
  kind: Type.Literal('rtsp'),
  url: Type.String({ pattern: '^rtsps?://', description: 'Without credentials.' }),
  username: Type.Optional(Type.String()),
  passwordFile: Type.Optional(path('File that holds the password, relative to the configuration file.')),
  passwordEnv: Type.Optional(Type.String({ description: 'Environment variable that holds the password.' })),
  transport: Type.Union([Type.Literal('tcp'), Type.Literal('udp')], { default: 'tcp' }),
})
const FileSource = object({
  kind: Type.Literal('file'),
  path: path('Video file, relative to the configuration file.'),
  loop: Type.Boolean({ default: false }),
})
const FolderSource = object({
  kind: Type.Literal('folder'),
  path: path('Folder of JPEG or PNG pictures, taken in the order of their names.'),
  fps: Type.Number({ exclusiveMinimum: 0, maximum: 30, default: 1 }),
  loop: Type.Boolean({ default: false }),
})
const MjpegSource = object({ kind: Type.Literal('mjpeg'), url: Type.String({ pattern: '^https?://' }) })

const analyticOf = <K extends string, P extends Record<string, import('@sinclair/typebox').TSchema>>(
  kind: K,
  properties: P,
) => object({ id: Id, kind: Type.Literal(kind), ...properties })

export const FloodAnalytic = analyticOf('flood-level', {
  model: Id,
  fps: fps(1),
  gauge: Type.Optional(
    object({
      points: Type.Array(object({ x: Fraction, y: Fraction, cm: Type.Number({ minimum: -500, maximum: 2000 }) }), {
        minItems: 2,
        maxItems: 64,
        description: 'Calibration of the virtual gauge: image points and their height in cm, from low to high.',
      }),
      halfWidth: Type.Number({
        minimum: 0.001,
        maximum: 0.2,
        default: 0.02,
        description: "Half width of the strip read beside the gauge, as a fraction of the frame's width.",
      }),
    }),
  ),
  closeUp: Type.Boolean({
    default: true,
    description:
      'Read the gauge from the part of the frame around it, which the model then sees without shrinking it. With a road zone the model runs twice a frame.',
  }),
  roadZone: Type.Optional(Polygon),
  dryLookDays: Type.Integer({
    minimum: 0,
    maximum: 30,
    default: 3,
    description:
      'Days until the parts of the road zone are known that look like water when dry, and are left out of the flooded share; 0: nothing is left out, for a zone with water in it every day.',
  }),
  readings: Type.Integer({ minimum: 1, maximum: 61, default: 5, description: 'Readings of the running median.' }),
  levels: Type.Array(
    object({ name: Type.String({ minLength: 1, maxLength: 64 }), cm: Type.Number(), severity: Severity }),
    { default: [], description: 'Alarm levels of the gauge, ascending.' },
  ),
  shareLevels: Type.Array(
    object({ name: Type.String({ minLength: 1, maxLength: 64 }), share: Fraction, severity: Severity }),
    { default: [], description: 'Alarm levels by flooded share of the road zone, ascending; used without a gauge.' },
  ),
  hysteresisCm: Type.Number({ minimum: 0, default: 3 }),
  hysteresisShare: Type.Number({ minimum: 0, maximum: 1, default: 0.05 }),
  dwellSeconds: seconds(10, 'How long a level must hold before an event begins.'),
  endDwellSeconds: seconds(60, 'How long it must stay below before the event ends.'),
  observeEverySeconds: seconds(5, 'How often the level is published.'),
})

export const PlumeAnalytic = analyticOf('smoke-flame', {
  model: Id,
  fps: fps(1),
  zones: Type.Array(
    object({
      id: Id,
      polygon: Polygon,
      landUse: Type.Union(
        [Type.Literal('forest'), Type.Literal('field'), Type.Literal('urban'), Type.Literal('ignore')],
        {
          description: 'ignore: chimneys, sky, lamps.',
        },
      ),
    }),
    { minItems: 1 },
  ),
  closeUp: Type.Boolean({
    default: true,
    description:
      "Look only at the part of the frame around the zones, without shrinking it. Zones that reach over nearly all of the frame's width or height are seen in the whole frame: give each part of the horizon an analytic of its own.",
  }),
  persistence: object({
    k: Type.Integer({ minimum: 1, default: 4 }),
    n: Type.Integer({ minimum: 1, default: 6, description: 'Present in at least k of the last n frames.' }),
  }),
  minShare: Type.Number({
    minimum: 0,
    maximum: 1,
    default: 0.004,
    description: 'Least share of the zone that counts; of smoke half of it, because far plumes begin small.',
  }),
  sensitivity: Type.Number({
    minimum: 0.25,
    maximum: 4,
    default: 1,
    description:
      'How readily something unusual for this camera is told as smoke or flame: at 2 half as much must be seen of it, at 0.5 twice as much.',
  }),
  endDwellSeconds: seconds(120, 'How long nothing may be seen before the event ends.'),
  observeEverySeconds: seconds(30, 'How often shares are published.'),
  burningMonths: Type.Array(Type.Integer({ minimum: 1, maximum: 12 }), {
    description: 'Months (UTC) in which straw is burnt; outside them burning on a field is one severity higher.',
    default: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
  }),
})

export const TrafficAnalytic = analyticOf('traffic', {
  model: Id,
  fps: fps(8),
  minConfidence: Type.Number({ minimum: 0, maximum: 1, default: 0.3 }),
  lamps: Type.Array(object({ id: Id, red: Box, amber: Type.Optional(Box), green: Box }), { default: [] }),
  lines: Type.Array(
    object({
      id: Id,
      kind: Type.Union([Type.Literal('stop-line'), Type.Literal('solid-line'), Type.Literal('count')]),
      points: Type.Array(ImagePoint, { minItems: 2, maxItems: 16 }),
      lamp: Type.Optional(Id),
      forward: Type.Optional(
        Type.Tuple([Type.Number(), Type.Number()], {
          description:
            'Vector of permitted travel across the line, in fractions of the frame like all points. A stop-line needs it; a solid-line without it may be crossed by nobody.',
        }),
      ),
    }),
    { default: [] },
  ),
  lanes: Type.Array(object({ id: Id, polygon: Polygon, direction: Type.Tuple([Type.Number(), Type.Number()]) }), {
    default: [],
    description: 'Lanes and their direction as a vector in fractions of the frame; against it is wrong way.',
  }),
  zones: Type.Array(
    object({
      id: Id,
      kind: Type.Union([Type.Literal('no-stopping'), Type.Literal('no-entry')]),
      polygon: Polygon,
      seconds: seconds(15, 'How long a vehicle may stand (no-stopping).'),
    }),
    { default: [] },
  ),
  redGraceSeconds: seconds(0.5, 'Crossings this soon after red began are not violations.'),
  observeEverySeconds: seconds(10, 'How often counts are published.'),
})

export const AnalyticConfig = Type.Union([FloodAnalytic, PlumeAnalytic, TrafficAnalytic])

export const CameraConfig = object({
  id: Id,
  name: Type.String({ minLength: 1, maxLength: 120 }),
  source: Type.Union([RtspSource, FileSource, FolderSource, MjpegSource]),
  frame: object({
    width: Type.Integer({
      minimum: 64,
      maximum: 3840,
      default: 640,
      description: 'Frames are scaled to this width; the height follows.',
    }),
  }),
  hwaccel: Type.Optional(Type.String({ description: "ffmpeg's -hwaccel, e.g. vaapi." })),
  stallSeconds: Type.Number({
    minimum: 2,
    maximum: 86_400,
    default: 10,
    description:
      'No frame for so long: the stream is restarted. Where analytics want frames more rarely, after two and a half times their distance.',
  }),
  clockOffsetMs: Type.Number({
    default: 0,
    description: 'Known delay between the scene and the arrival of its frame.',
  }),
  bearingDeg: Type.Optional(Type.Number({ minimum: 0, exclusiveMaximum: 360 })),
  fieldOfViewDeg: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 180 })),
  location: Type.Optional(LonLat),
  privacyMasks: Type.Array(Polygon, {
    default: [],
    description: 'Burned into every frame before anything else sees it.',
  }),
  health: object({
    enabled: Type.Boolean({ default: true, description: 'Black, frozen, covered, blurred, moved.' }),
  }),
  analytics: Type.Array(AnalyticConfig, { minItems: 1 }),
})

export const AgentConfig = object({
  version: Type.Literal(1),
  site: Id,
  agent: Id,
  dataDir: path('Outbox and evidence, relative to the configuration file.'),
  mqtt: object({
    url: Type.String({ pattern: '^(mqtts?|wss?)://', description: 'Without credentials.' }),
    username: Type.Optional(Type.String()),
    passwordFile: Type.Optional(path('File that holds the password.')),
    passwordEnv: Type.Optional(Type.String()),
    caFile: Type.Optional(path('Certificate authority of the broker.')),
  }),
  evidence: object({
    url: Type.String({
      pattern: '^https?://',
      description: "Central's address; pictures are put to /ingest/v1/evidence.",
    }),
    tokenFile: Type.Optional(path("File that holds the agent's token.")),
    tokenEnv: Type.Optional(Type.String()),
    quotaMb: Type.Integer({
      minimum: 10,
      default: 2000,
      description: 'Disk for pictures; unsent ones are kept first.',
    }),
    jpegQuality: Type.Integer({ minimum: 30, maximum: 95, default: 80 }),
  }),
  outbox: object({
    maxRows: Type.Integer({
      minimum: 1000,
      default: 2_000_000,
      description: 'Beyond it observations are thinned, never events.',
    }),
  }),
  models: Type.Array(object({ id: Id, path: path('Model package folder.') }), { minItems: 1 }),
  modelCacheDir: Type.Optional(path('Where converted weights are kept; default: dataDir/models.')),
  requireSignatures: Type.Boolean({
    default: false,
    description: 'Model packages must be signed with one of trustedKeys.',
  }),
  trustedKeys: Type.Array(
    Type.String({
      minLength: 1,
      description: 'Ed25519 public key as "model keygen" prints it (ed25519:…), or a file that holds it.',
    }),
    { default: [], description: 'Keys whose signatures of model packages are accepted.' },
  ),
  inference: object({
    workers: Type.Integer({ minimum: 1, maximum: 16, default: 1, description: 'Worker threads.' }),
  }),
  status: object({
    host: Type.String({ default: '127.0.0.1' }),
    port: Type.Integer({ minimum: 0, maximum: 65_535, default: 9101, description: '0: any free port.' }),
  }),
  log: object({
    level: Type.Union(
      ['fatal', 'error', 'warn', 'info', 'debug', 'trace'].map(level => Type.Literal(level)),
      { default: 'info' },
    ),
  }),
  cameras: Type.Array(CameraConfig, { minItems: 1 }),
})

export type AgentConfig = Static<typeof AgentConfig>
export type CameraConfig = Static<typeof CameraConfig>
export type SourceConfig = CameraConfig['source']
export type AnalyticConfig = Static<typeof AnalyticConfig>
export type FloodAnalytic = Static<typeof FloodAnalytic>
export type PlumeAnalytic = Static<typeof PlumeAnalytic>
export type TrafficAnalytic = Static<typeof TrafficAnalytic>
