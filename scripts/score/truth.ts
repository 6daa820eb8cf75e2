import { type Static, type TUnsafe, Type } from '@sinclair/typebox'
import { validateConfig } from '@watchpost/shared/config/validate-config'
import { eventKinds } from '@watchpost/shared/contracts/event-kinds'
import { Box, Id, ImagePoint, LonLat, Polygon, Severity } from '@watchpost/shared/contracts/primitives'

/** What is true in a scene, and the calibration an operator would draw. Times `t`, `from`, `until` … are seconds of the clip. */
const object = <T extends Record<string, import('@sinclair/typebox').TSchema>>(properties: T) => Type.Object(properties)
/** A union by its values; typed by hand, since the schema library sees only `string` in a mapped list. */
const oneOf = <const T extends string>(values: readonly T[]) =>
  Type.Union(values.map(value => Type.Literal(value))) as unknown as TUnsafe<T>
const Seconds = Type.Number({ minimum: 0 })
const Bearing = Type.Number({ minimum: 0, exclusiveMaximum: 360 })
/** Parts of a vehicle, a plume or a carriageway may lie outside of the picture. */
const LooseBox = Type.Tuple([Type.Number(), Type.Number(), Type.Number({ minimum: 0 }), Type.Number({ minimum: 0 })])

export const families = ['flood-street', 'river-gauge', 'hillside', 'rice-field', 'junction', 'quiet'] as const
export const lookAlikeKinds = ['chimney', 'fog', 'low-cloud', 'glare', 'dust', 'lamp', 'steam'] as const

const Happening = object({
  id: Type.String({ minLength: 1 }),
  kind: oneOf(eventKinds),
  from: Seconds,
  until: Seconds,
  trackId: Type.Optional(Type.String()),
  onsetAt: Type.Optional(Seconds),
  onePercentAt: Type.Optional(Seconds),
  location: Type.Optional(LonLat),
  at: Type.Optional(Seconds),
})

const Vehicle = object({
  trackId: Type.String(),
  class: oneOf(['car', 'bus', 'truck', 'motorbike', 'bicycle', 'person']),
  box: LooseBox,
  /** Share of the vehicle that nothing hides. */
  visible: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })),
})

const Frame = object({
  t: Seconds,
  waterCm: Type.Optional(Type.Union([Type.Number(), Type.Null()])),
  smokeShare: Type.Optional(Type.Number({ minimum: 0 })),
  flameShare: Type.Optional(Type.Number({ minimum: 0 })),
  plumeBox: Type.Optional(Type.Union([LooseBox, Type.Null()])),
  plumeBearingDeg: Type.Optional(Type.Union([Bearing, Type.Null()])),
  vehicles: Type.Optional(Type.Array(Vehicle)),
})

export const Truth = object({
  schemaVersion: Type.Literal(2),
  scene: Id,
  family: oneOf(families),
  use: oneOf(['score', 'develop']),
  seed: Type.Integer(),
  light: oneOf(['day', 'dusk', 'night']),
  weather: Type.Array(Type.String(), { default: [] }),
  fps: Type.Number({ exclusiveMinimum: 0, maximum: 30 }),
  width: Type.Integer({ minimum: 16 }),
  height: Type.Integer({ minimum: 16 }),
  durationS: Type.Number({ exclusiveMinimum: 0 }),
  startsAt: Type.Optional(Type.String()),
  /** How many times faster than real the clip runs: quiet scenes show hours in minutes. */
  timeScale: Type.Number({ minimum: 1, default: 1 }),
  camera: object({
    location: LonLat,
    altitudeM: Type.Optional(Type.Number()),
    bearingDeg: Type.Optional(Bearing),
    fieldOfViewDeg: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 180 })),
  }),
  gauge: Type.Optional(
    object({ points: Type.Array(object({ x: Type.Number(), y: Type.Number(), cm: Type.Number() }), { minItems: 2 }) }),
  ),
  roadZone: Type.Optional(Polygon),
  plumeZones: Type.Optional(
    Type.Array(object({ id: Id, landUse: oneOf(['forest', 'field', 'urban', 'ignore']), polygon: Polygon })),
  ),
  levels: Type.Optional(Type.Array(object({ name: Type.String(), cm: Type.Number(), severity: Severity }))),
  lamps: Type.Optional(Type.Array(object({ id: Id, red: Box, amber: Type.Optional(Box), green: Box }))),
  stopLine: Type.Optional(Type.Array(ImagePoint, { minItems: 2, maxItems: 16 })),
  solidLines: Type.Optional(Type.Array(object({ id: Id, points: Type.Array(ImagePoint, { minItems: 2 }) }))),
  laneDirection: Type.Optional(
    Type.Array(object({ id: Id, polygon: Polygon, direction: Type.Tuple([Type.Number(), Type.Number()]) })),
  ),
  noStoppingZone: Type.Optional(Polygon),
  noStoppingSeconds: Type.Optional(Seconds),
  conditions: Type.Array(object({ kind: Type.String(), from: Seconds, until: Seconds }), { default: [] }),
  happenings: Type.Array(Happening, { default: [] }),
  lookAlikes: Type.Array(
    object({
      id: Type.String(),
      kind: oneOf(lookAlikeKinds),
      from: Seconds,
      until: Seconds,
      box: Type.Optional(LooseBox),
    }),
    { default: [] },
  ),
  frames: Type.Array(Frame, { default: [] }),
})

export type Truth = Static<typeof Truth>
export type TruthHappening = Static<typeof Happening>
export type TruthFrame = Static<typeof Frame>
export type TruthVehicle = Static<typeof Vehicle>

/**
 * Truth of one scene, checked as a whole. The error lists everything that is wrong with its path in the file.
 * @throws {Error}
 */
export const parseTruth = (given: unknown, file: string): Truth => {
  const { value, errors } = validateConfig(Truth, given)
  const found = [...errors.map(({ path, message, given: was }) => line(path, message, was))]
  if (errors.length === 0) found.push(...contradictions(value))
  if (found.length === 0) return value
  const scene = (given as { scene?: unknown } | null)?.scene ?? 'unnamed scene'
  const shown = found.slice(0, maxShown)
  const more = found.length > maxShown ? [`  … and ${found.length - maxShown} more`] : []
  throw new Error(
    [
      `The truth of ${scene} cannot be used (${file}):`,
      ...shown,
      ...more,
      'Mend the script that writes it, or leave the scene out with --scenes.',
    ].join('\n'),
  )
}

const maxShown = 12
const line = (path: string, message: string, given?: string): string =>
  `  ${path || '(whole file)'} ${message}${given === undefined ? '' : `, given ${given}`}`

/** What a schema cannot say. */
const contradictions = ({ durationS, happenings, conditions, lookAlikes, frames, gauge, levels }: Truth): string[] => [
  ...spans('happenings', happenings),
  ...spans('conditions', conditions),
  ...spans('lookAlikes', lookAlikes),
  ...frames.flatMap(({ t }, index) => {
    const before = frames[index - 1]
    if (before && t <= before.t) return [line(`frames[${index}].t`, `is not after the frame before it (${before.t})`)]
    return t > durationS + 1 ? [line(`frames[${index}].t`, `is after the clip's end (durationS ${durationS})`)] : []
  }),
  ...happenings.flatMap(({ id }, index) =>
    happenings.findIndex(other => other.id === id) === index
      ? []
      : [line(`happenings[${index}].id`, 'is used twice', id)],
  ),
  ...(gauge && !levels?.length ? [line('levels', 'are missing: a gauge needs alarm levels')] : []),
]

const spans = (name: string, items: readonly { readonly from: number; readonly until: number }[]): string[] =>
  items.flatMap(({ from, until }, index) =>
    until < from ? [line(`${name}[${index}].until`, `is before from (${from})`, String(until))] : [],
  )
