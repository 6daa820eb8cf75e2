import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { CityView } from '@watchpost/shared/api/incidents'
import type { Registry } from '../../registry/registry.js'

interface CityOptions {
  readonly registry: Pick<Registry, 'city'>
  readonly mapStyleUrl?: string
}

export const cityRoutes: FastifyPluginAsyncTypebox<CityOptions> = async (app, { registry, mapStyleUrl }) => {
  app.get(
    '/city',
    { schema: { tags: ['city'], summary: 'Names, places and the plain map', response: { 200: CityView } } },
    async () => {
      const { name, centre, zoom, wards, water, roads, hotspots } = registry.city()
      return {
        name,
        centre,
        zoom,
        styleUrl: mapStyleUrl ?? null,
        wards,
        water,
        roads,
        hotspots: hotspots.map(({ camera, ...hotspot }) => ({ ...hotspot, cameraId: camera })),
      }
    },
  )
}
