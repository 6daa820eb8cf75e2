import type { ConfigError } from '@watchpost/shared/config/config-error'
import { didYouMean } from '@watchpost/shared/config/did-you-mean'
import type { City } from '../registry/city.js'

/** What a schema cannot say of a city file: identifiers are unique, references resolve, rings are closed, levels ascend. */
export const checkCity = (city: City): readonly ConfigError[] => [
  ...duplicates(
    'ward',
    city.wards.map((ward, index) => [ward.id, `wards[${index}].id`]),
  ),
  ...duplicates(
    'site',
    city.sites.map((site, index) => [site.id, `sites[${index}].id`]),
  ),
  ...duplicates(
    'hotspot',
    city.hotspots.map((hotspot, index) => [hotspot.id, `hotspots[${index}].id`]),
  ),
  ...duplicates(
    'agent',
    city.sites.flatMap((site, s) => site.agents.map((agent, a) => [agent, `sites[${s}].agents[${a}]`] as const)),
  ),
  ...duplicates(
    'camera',
    city.sites.flatMap((site, s) =>
      site.cameras.map((camera, c) => [camera.id, `sites[${s}].cameras[${c}].id`] as const),
    ),
  ),
  ...openRings(city),
  ...danglingCameras(city),
  ...unorderedLevels(city),
]

/** Identifiers are unique in the whole city: the ledger is asked by agent alone, a picture by camera alone. */
const duplicates = (what: string, entries: readonly (readonly [id: string, path: string])[]): ConfigError[] => {
  const first = new Map<string, string>()
  return entries.flatMap(([id, path]) => {
    const earlier = first.get(id)
    if (earlier === undefined) {
      first.set(id, path)
      return []
    }
    const hint = `Already used at ${earlier}; a ${what} needs an identifier of its own in the whole city.`
    return [{ path, message: `is the identifier of another ${what}`, given: JSON.stringify(id), hint }]
  })
}

const openRings = (city: City): ConfigError[] =>
  city.wards.flatMap(({ polygon }, index) => {
    const [first, last] = [polygon[0], polygon.at(-1)]
    if (first?.[0] === last?.[0] && first?.[1] === last?.[1]) return []
    const hint = 'Repeat the first point as the last one, as GeoJSON has it.'
    return [{ path: `wards[${index}].polygon`, message: 'is not a closed ring', hint }]
  })

const danglingCameras = (city: City): ConfigError[] => {
  const cameras = city.sites.flatMap(site => site.cameras.map(camera => camera.id))
  return city.hotspots.flatMap(({ camera }, index) => {
    if (cameras.includes(camera)) return []
    const meant = didYouMean(camera, cameras)
    const hint = meant === undefined ? 'Add the camera to its site first.' : `Did you mean "${meant}"?`
    return [
      {
        path: `hotspots[${index}].camera`,
        message: 'is not a camera of any site',
        given: JSON.stringify(camera),
        hint,
      },
    ]
  })
}

const unorderedLevels = (city: City): ConfigError[] =>
  city.hotspots.flatMap(({ levels }, h) =>
    levels.flatMap((level, l) => {
      const below = levels[l - 1]
      if (below === undefined || below.cm < level.cm) return []
      const hint = 'Write alarm levels from low to high.'
      return [
        {
          path: `hotspots[${h}].levels[${l}].cm`,
          message: `is not above the level before it (${below.cm})`,
          given: String(level.cm),
          hint,
        },
      ]
    }),
  )
