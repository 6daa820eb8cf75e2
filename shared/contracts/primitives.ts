import { type Static, Type } from '@sinclair/typebox'

/** Identifiers travel in topics and file names, so they stay plain. */
export const idPattern = '^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$'
export const Id = Type.String({
  pattern: idPattern,
  description: 'Lower-case letters, digits and inner hyphens, 1-64.',
})

/**
 * RFC 3339 in UTC with milliseconds, as `Date.prototype.toISOString` writes it. What fits is a time `Date.parse` can read:
 * no month 13, no leap second.
 */
export const utcPattern = '^\\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])T([01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d\\.\\d{3}Z$'
export const UtcTime = Type.String({ pattern: utcPattern, description: 'UTC, e.g. 2026-10-27T03:04:05.678Z' })

/** Unix milliseconds as `UtcTime`; here, so that rooms without `Date` can stamp what they make. */
export const utcTime = (unixMs: number): string => new Date(unixMs).toISOString()

export const Sha256 = Type.String({ pattern: '^[0-9a-f]{64}$', description: 'SHA-256, lower-case hexadecimal.' })
export const Uuid = Type.String({ pattern: '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$' })

/** An epoch is the UTC millisecond at which an agent's outbox was created; sequence numbers restart with it. */
export const Epoch = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER })
export const Seq = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER })

export const Fraction = Type.Number({ minimum: 0, maximum: 1 })
/** Image point, both 0..1, origin top left. */
export const ImagePoint = Type.Tuple([Fraction, Fraction])
/** `[x, y, width, height]`, all 0..1, origin top left. */
export const Box = Type.Tuple([Fraction, Fraction, Fraction, Fraction])
export const Polygon = Type.Array(ImagePoint, { minItems: 3, maxItems: 64 })
/** `[longitude, latitude]` in degrees, WGS 84, as GeoJSON has it. */
export const LonLat = Type.Tuple([
  Type.Number({ minimum: -180, maximum: 180 }),
  Type.Number({ minimum: -90, maximum: 90 }),
])

/** RFC 9457. */
export const Problem = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.Optional(Type.String()),
    instance: Type.Optional(Type.String()),
    errors: Type.Optional(
      Type.Array(Type.Object({ path: Type.String(), message: Type.String(), hint: Type.Optional(Type.String()) })),
    ),
  },
  { $id: 'Problem', description: 'RFC 9457 problem details.' },
)

export const severities = ['info', 'minor', 'major', 'critical'] as const
export const Severity = Type.Union(severities.map(name => Type.Literal(name)))
export const Quality = Type.Union([Type.Literal('good'), Type.Literal('uncertain'), Type.Literal('suspended')])

export type ImagePoint = Static<typeof ImagePoint>
export type Box = Static<typeof Box>
export type Polygon = Static<typeof Polygon>
export type LonLat = Static<typeof LonLat>
export type Problem = Static<typeof Problem>
export type Severity = (typeof severities)[number]
export type Quality = Static<typeof Quality>
