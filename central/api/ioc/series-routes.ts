import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { SeriesView } from '@watchpost/shared/api/incidents'
import { SeriesRequest } from '@watchpost/shared/api/requests'
import { observedProperties } from '@watchpost/shared/contracts/observation'
import type { TimeSeriesStore } from '../../timeseries/time-series-store.js'
import { meOf } from '../plugins/sign-in.js'
import { notFound, ProblemError } from '../problem.js'
import type { CameraViews } from './camera-views.js'

interface SeriesOptions {
  readonly timeseries: Pick<TimeSeriesStore, 'query'>
  readonly views: CameraViews
  readonly clock: () => number
}

const defaultSpanMs = 24 * 3_600_000
const units: Readonly<Record<string, string>> = observedProperties

export const seriesRoutes: FastifyPluginAsyncTypebox<SeriesOptions> = async (app, { timeseries, views, clock }) => {
  app.get(
    '/series',
    {
      schema: {
        tags: ['series'],
        summary: 'Values of one property at one camera, oldest first; the last 24 hours by default',
        querystring: SeriesRequest,
        response: { 200: SeriesView },
      },
    },
    async request => {
      const { camera, property, analytic, from, to, windowMs, limit } = request.query
      const view = await views.one(camera, meOf(request))
      if (!view) throw notFound('camera', camera)
      const unit = units[property]
      if (unit === undefined) {
        throw new ProblemError(422, 'Unknown property', `"${property}" is not observed.`, [
          { path: '/property', message: 'unknown', hint: `One of: ${Object.keys(units).join(', ')}.` },
        ])
      }
      const until = to === undefined ? clock() : Date.parse(to)
      const values = await timeseries.query({
        siteId: view.siteId,
        cameraId: camera,
        property,
        from: from === undefined ? until - defaultSpanMs : Date.parse(from),
        to: until,
        limit,
        ...(analytic !== undefined && { analytic }),
        ...(windowMs !== undefined && { windowMs }),
      })
      return {
        cameraId: camera,
        property,
        unit,
        windowMs: windowMs ?? null,
        values: values.map(value => ({ ...value, at: new Date(value.at).toISOString() })),
      }
    },
  )
}
