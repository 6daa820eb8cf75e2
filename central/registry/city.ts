import { type Static, Type } from '@sinclair/typebox'
import { Id, LonLat, Severity } from '@watchpost/shared/contracts/primitives'

/** The schema of the city file (YAML): what is where. Validated as one; every reference in it must resolve. */
const object = <T extends Record<string, import('@sinclair/typebox').TSchema>>(properties: T) =>
  Type.Object(properties, { additionalProperties: false })
const name = Type.String({ minLength: 1, maxLength: 120 })
const Bilingual = object({ vi: name, en: name })

export const Ward = object({
  id: Id,
  name: Bilingual,
  polygon: Type.Array(LonLat, { minItems: 4, description: 'Closed ring.' }),
})

export const Hotspot = object({
  id: Id,
  name: Bilingual,
  location: LonLat,
  camera: Id,
  levels: Type.Array(object({ name: Bilingual, cm: Type.Number(), severity: Severity }), { minItems: 1 }),
})

export const SiteCamera = object({
  id: Id,
  name: Bilingual,
  location: LonLat,
  bearingDeg: Type.Optional(Type.Number({ minimum: 0, exclusiveMaximum: 360 })),
})

export const Site = object({
  id: Id,
  name: Bilingual,
  agents: Type.Array(Id, { minItems: 1 }),
  cameras: Type.Array(SiteCamera),
})

export const City = object({
  version: Type.Literal(1),
  name: Bilingual,
  centre: LonLat,
  zoom: Type.Number({ default: 13 }),
  wards: Type.Array(Ward),
  sites: Type.Array(Site),
  hotspots: Type.Array(Hotspot),
  /** Water courses drawn on the plain map. */
  water: Type.Array(object({ name: Bilingual, line: Type.Array(LonLat, { minItems: 2 }), widthM: Type.Number() }), {
    default: [],
  }),
  roads: Type.Array(object({ name: Bilingual, line: Type.Array(LonLat, { minItems: 2 }) }), { default: [] }),
})

export type City = Static<typeof City>
export type Ward = Static<typeof Ward>
export type Hotspot = Static<typeof Hotspot>
export type Site = Static<typeof Site>
export type SiteCamera = Static<typeof SiteCamera>
