import type { LonLat } from '@watchpost/shared/contracts/primitives'
import type { AgentAddress } from '@watchpost/shared/topics'
import type { City, Site, Ward } from './city.js'
import { ringHolds } from './geometry.js'
import type { CameraPlace } from './registry.js'

/** The city file, indexed. */
export interface Places {
  readonly city: City
  readonly cameras: ReadonlyMap<string, CameraPlace>
  readonly sites: ReadonlyMap<string, Site>
  readonly siteOfAgent: ReadonlyMap<string, string>
  wardAt(location: LonLat): Ward | null
  isKnown(address: AgentAddress): boolean
}

export const indexPlaces = (city: City): Places => {
  const wardAt = (location: LonLat): Ward | null => city.wards.find(ward => ringHolds(ward.polygon, location)) ?? null
  const hotspots = new Map(city.hotspots.map(hotspot => [hotspot.camera, hotspot]))
  const siteOfAgent = new Map(city.sites.flatMap(site => site.agents.map(agent => [agent, site.id] as const)))
  const cameras = city.sites.flatMap(site =>
    site.cameras.map(camera => {
      const place = { camera, site, ward: wardAt(camera.location), hotspot: hotspots.get(camera.id) ?? null }
      return [camera.id, place] as const
    }),
  )
  return {
    city,
    cameras: new Map(cameras),
    sites: new Map(city.sites.map(site => [site.id, site])),
    siteOfAgent,
    wardAt,
    isKnown: ({ siteId, agentId }) => siteOfAgent.get(agentId) === siteId,
  }
}
