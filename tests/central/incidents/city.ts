import type { LonLat } from '@watchpost/shared/contracts/primitives'
import type { Registry } from '../../../central/registry/registry.js'

const name = (text: string) => ({ vi: text, en: text })
const camera = (id: string, location: LonLat) => ({ id, name: name(id), location })
export const cameras = [
  camera('le-loi-1', [107.585, 16.462]),
  camera('le-loi-2', [107.5859, 16.4622]),
  camera('an-cuu-1', [107.6, 16.45]),
]
const site = { id: 'an-cuu', name: name('An Cựu'), agents: ['an-cuu-1'], cameras }
const wards = ['thuan-hoa', 'an-cuu'].map(id => ({ id, name: name(id), polygon: [] as LonLat[] }))
const levels = [{ name: name('ankle'), cm: 10, severity: 'minor' as const }]
export const hotspots = [
  { id: 'le-loi', name: name('Lê Lợi'), location: [107.585, 16.462] as LonLat, camera: 'le-loi-1', levels },
  { id: 'an-cuu', name: name('An Cựu'), location: [107.6, 16.45] as LonLat, camera: 'an-cuu-1', levels },
]

/** A small city, with wards told apart by longitude. */
export const smallCity = {
  version: 1 as const,
  name: name('Huế'),
  centre: [107.59, 16.46] as LonLat,
  zoom: 13,
  wards,
  sites: [site],
  hotspots,
  water: [],
  roads: [],
}

export const cityRegistry: Pick<Registry, 'camera' | 'wardAt' | 'city'> = {
  city: () => smallCity,
  wardAt: ([lon]) => wards[lon < 107.59 ? 0 : 1]!,
  camera: id => {
    const found = cameras.find(item => item.id === id)
    const hotspot = hotspots.find(item => item.camera === id) ?? null
    return found && { camera: found, site, ward: null, hotspot }
  },
}
