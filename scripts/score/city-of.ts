import type { Scene } from './scenes.js'

interface CitySite {
  readonly id: string
  readonly agent: string
  readonly scenes: readonly Scene[]
}

/** Degrees around the outermost cameras. */
const margin = 0.02

/** City file of a batch: one ward around all cameras, one site per agent, a hotspot at each gauge. */
export const cityOf = (sites: readonly CitySite[]) => {
  const scenes = sites.flatMap(site => site.scenes)
  const longitudes = scenes.map(({ truth }) => truth.camera.location[0])
  const latitudes = scenes.map(({ truth }) => truth.camera.location[1])
  const [west, east] = [Math.min(...longitudes) - margin, Math.max(...longitudes) + margin]
  const [south, north] = [Math.min(...latitudes) - margin, Math.max(...latitudes) + margin]
  const ring = [
    [west, south],
    [east, south],
    [east, north],
    [west, north],
    [west, south],
  ]
  return {
    version: 1,
    name: twice('Score'),
    centre: [(west + east) / 2, (south + north) / 2],
    wards: [{ id: 'all', name: twice('All'), polygon: ring }],
    sites: sites.map(({ id, agent, scenes: seen }) => ({
      id,
      name: twice(id),
      agents: [agent],
      cameras: seen.map(({ name, truth: { camera } }) => ({
        id: name,
        name: twice(name),
        location: camera.location,
        ...(camera.bearingDeg === undefined ? {} : { bearingDeg: camera.bearingDeg }),
      })),
    })),
    hotspots: scenes
      .filter(({ truth }) => truth.gauge && truth.levels)
      .map(({ name, truth }) => ({
        id: name,
        name: twice(name),
        location: truth.camera.location,
        camera: name,
        levels: truth.levels!.map(level => ({ ...level, name: twice(level.name) })),
      })),
  }
}

const twice = (text: string) => ({ vi: text, en: text })
