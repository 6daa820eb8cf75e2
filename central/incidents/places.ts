import type { LonLat } from '@watchpost/shared/contracts/primitives'
import type { Registry } from '../registry/registry.js'
import type { Place } from './engine/incident-record.js'

export interface NamedPlace extends Place {
  readonly name: { readonly vi: string; readonly en: string }
}
export type Places = (siteId: string, cameraId: string) => NamedPlace

/** Where each camera stands. A camera the city file does not name still raises incidents, without a place. */
export const createPlaces =
  (registry: Pick<Registry, 'camera' | 'wardAt'>): Places =>
  (siteId, cameraId) => {
    const place = registry.camera(cameraId)
    if (!place || place.site.id !== siteId) {
      return { name: { vi: cameraId, en: cameraId }, location: null, wardId: null, hotspotId: null }
    }
    const location = place.camera.location as LonLat
    return {
      name: place.camera.name,
      location,
      wardId: registry.wardAt(location)?.id ?? null,
      hotspotId: place.hotspot?.id ?? null,
    }
  }
