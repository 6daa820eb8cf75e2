import { type Static, Type } from '@sinclair/typebox'
import { Id, LonLat, Severity, UtcTime } from '../contracts/primitives.js'

/** What citizens may see. Replies are filtered through these schemas, so nothing else can leak. */
const nullable = <T extends import('@sinclair/typebox').TSchema>(schema: T) => Type.Union([schema, Type.Null()])
const Bilingual = Type.Object({ vi: Type.String(), en: Type.String() })

export const freshnessStates = ['current', 'stale', 'offline', 'obscured', 'underReview'] as const

export const HotspotProperties = Type.Object({
  id: Id,
  name: Bilingual,
  status: Type.Union(freshnessStates.map(state => Type.Literal(state))),
  /** Null when unknown: unknown is never shown as dry. */
  levelCm: nullable(Type.Number()),
  trend: nullable(Type.Union([Type.Literal('rising'), Type.Literal('steady'), Type.Literal('falling')])),
  rateCmPerHour: nullable(Type.Number()),
  severity: nullable(Severity),
  alarmLevel: nullable(Bilingual),
  observedAt: nullable(UtcTime),
  validUntil: nullable(UtcTime),
  snapshot: nullable(
    Type.Object({ href: Type.String(), takenAt: UtcTime, width: Type.Integer(), height: Type.Integer() }),
  ),
})

export const HotspotFeature = Type.Object({
  type: Type.Literal('Feature'),
  id: Id,
  geometry: Type.Object({ type: Type.Literal('Point'), coordinates: LonLat }),
  properties: HotspotProperties,
})

/** `GET /public/v1/hotspots`: one GeoJSON FeatureCollection for the whole city. */
export const HotspotCollection = Type.Object(
  {
    type: Type.Literal('FeatureCollection'),
    generatedAt: UtcTime,
    features: Type.Array(HotspotFeature),
  },
  { $id: 'HotspotCollection' },
)

/** `GET /public/v1/hotspots/{id}/readings` */
export const HotspotReadings = Type.Object(
  {
    id: Id,
    unit: Type.Literal('cm'),
    values: Type.Array(Type.Object({ at: UtcTime, levelCm: nullable(Type.Number()) })),
  },
  { $id: 'HotspotReadings' },
)

export type HotspotProperties = Static<typeof HotspotProperties>
export type HotspotFeature = Static<typeof HotspotFeature>
export type HotspotCollection = Static<typeof HotspotCollection>
export type HotspotReadings = Static<typeof HotspotReadings>
