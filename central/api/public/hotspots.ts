import type { HotspotCollection, HotspotReadings } from '@watchpost/shared/api/public'
import type { Incidents } from '../../incidents/incidents.js'
import type { Hotspot } from '../../registry/city.js'
import type { Registry } from '../../registry/registry.js'
import type { SeriesPoint, TimeSeriesStore } from '../../timeseries/time-series-store.js'
import { hotspotFeature } from './hotspot-view.js'
import type { PublicSnapshots } from './public-snapshots.js'

export interface Hotspots {
  collection(): Promise<HotspotCollection>
  /** Undefined: no such hotspot. */
  readings(hotspotId: string): Promise<HotspotReadings | undefined>
}

interface Options {
  readonly registry: Pick<Registry, 'city' | 'camera' | 'cameras' | 'agents'>
  readonly timeseries: Pick<TimeSeriesStore, 'latest' | 'query'>
  readonly incidents: Pick<Incidents, 'list'>
  /** Undefined: no pictures are shown. */
  readonly snapshots: PublicSnapshots | undefined
  readonly staleAfterMs: number
  readonly clock: () => number
  readonly log: { readonly warn: (fields: object, sentence: string) => void }
}

const readingsSpanMs = 24 * 3_600_000
const readingsWindowMs = 5 * 60_000
const system = { name: 'system', role: 'admin', wardId: null } as const

export const createHotspots = (options: Options): Hotspots => {
  const { registry, timeseries, incidents, snapshots, staleAfterMs, clock, log } = options

  /** Newest points by camera, as agents of its own site sent them. A store that cannot be asked means unknown levels, never old ones. */
  const latest = async (property: string): Promise<ReadonlyMap<string, SeriesPoint>> => {
    const points = await timeseries.latest(property).catch((error: unknown) => {
      log.warn({ err: error, property }, 'Water levels cannot be read; hotspots are shown without a level')
      return []
    })
    const byCamera = new Map<string, SeriesPoint>()
    for (const point of points) {
      if (registry.camera(point.cameraId)?.site.id !== point.siteId) continue
      if ((byCamera.get(point.cameraId)?.at ?? Number.NEGATIVE_INFINITY) < point.at) byCamera.set(point.cameraId, point)
    }
    return byCamera
  }

  /**
   * When the flood that reviewers judged false and that still goes on began; undefined: there is none. Only the newest counts:
   * an old one whose end never came says nothing of the water that comes after it.
   */
  const disputedSince = async ({ id }: Hotspot): Promise<number | undefined> => {
    const { items } = await incidents.list({ kinds: ['flood-level'], hotspotId: id }, { limit: 1 }, system)
    const newest = items[0]
    return newest?.state === 'falsePositive' && newest.endedAt === null ? Date.parse(newest.openedAt) : undefined
  }

  const find = (hotspotId: string): Hotspot | undefined => registry.city().hotspots.find(({ id }) => id === hotspotId)

  return {
    collection: async () => {
      const [levels, rates] = await Promise.all([latest('floodLevel'), latest('floodRate')])
      const cameras = new Map(registry.cameras().map(camera => [camera.id, camera]))
      const online = new Set(registry.agents().flatMap(agent => (agent.status === 'online' ? [agent.id] : [])))
      const now = clock()
      const features = await Promise.all(
        registry.city().hotspots.map(async hotspot => {
          const camera = cameras.get(hotspot.camera)
          return hotspotFeature({
            hotspot,
            condition: camera?.condition ?? null,
            agentOnline: camera?.agentId != null && online.has(camera.agentId),
            level: levels.get(hotspot.camera),
            rate: rates.get(hotspot.camera),
            disputed: (await disputedSince(hotspot)) !== undefined,
            snapshot: (await snapshots?.of(hotspot.id, hotspot.camera)) ?? null,
            staleAfterMs,
            now,
          })
        }),
      )
      return { type: 'FeatureCollection', generatedAt: new Date(now).toISOString(), features }
    },
    readings: async hotspotId => {
      const hotspot = find(hotspotId)
      if (!hotspot) return undefined
      const to = clock()
      const siteId = registry.camera(hotspot.camera)?.site.id
      const [values, doubtfulFrom = Number.POSITIVE_INFINITY] = await Promise.all([
        timeseries.query({
          ...(siteId !== undefined && { siteId }),
          cameraId: hotspot.camera,
          property: 'floodLevel',
          from: to - readingsSpanMs,
          to,
          windowMs: readingsWindowMs,
          limit: readingsSpanMs / readingsWindowMs + 1,
        }),
        disputedSince(hotspot),
      ])
      return {
        id: hotspotId,
        unit: 'cm',
        values: values.map(({ at, value, quality }) => ({
          at: new Date(at).toISOString(),
          levelCm: value !== null && quality === 'good' && at < doubtfulFrom ? Math.round(value) : null,
        })),
      }
    },
  }
}
