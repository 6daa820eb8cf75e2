import compress from '@fastify/compress'
import type { FastifyPluginAsync } from 'fastify'
import type { HttpDeps } from '../http-deps.js'
import { addSecurityHeaders } from '../plugins/security-headers.js'
import { addSignIn } from '../plugins/sign-in.js'
import { agentRoutes } from './agent-routes.js'
import { cameraRoutes } from './camera-routes.js'
import type { CameraViews } from './camera-views.js'
import type { ChangeStream } from './change-stream.js'
import { cityRoutes } from './city-routes.js'
import { eventRoutes } from './event-routes.js'
import { evidenceRoutes } from './evidence-routes.js'
import { incidentRoutes } from './incident-routes.js'
import { labelRoutes } from './label-routes.js'
import { modelRoutes } from './model-routes.js'
import { seriesRoutes } from './series-routes.js'
import { sessionRoutes } from './session-routes.js'
import { streamRoutes } from './stream-routes.js'

type OperatorOptions = HttpDeps & { readonly views: CameraViews; readonly stream: ChangeStream }

/** Everything under /api/v1: signed-in people only, unless a route says otherwise. */
export const operatorRoutes: FastifyPluginAsync<OperatorOptions> = async (app, deps) => {
  const { incidents, labels, evidence, registry, timeseries, ledger, users, views, stream, clock } = deps
  const { secureCookies } = deps.http
  const mapStyleUrl = deps.map.styleUrl
  // JSON only: a form of another site could send text/plain.
  app.removeContentTypeParser('text/plain')
  await addSecurityHeaders(app, { secureCookies })
  await app.register(compress)
  await addSignIn(app, users)

  await app.register(sessionRoutes, { users, secureCookies })
  await app.register(cityRoutes, { registry, ...(mapStyleUrl !== undefined && { mapStyleUrl }) })
  await app.register(incidentRoutes, { incidents })
  await app.register(eventRoutes, { incidents })
  await app.register(labelRoutes, { labels })
  await app.register(cameraRoutes, { views, evidence })
  await app.register(agentRoutes, { registry, ledger, views })
  await app.register(modelRoutes, { models: deps.models })
  await app.register(seriesRoutes, { timeseries, views, clock })
  await app.register(evidenceRoutes, { evidence, incidents, views })
  await app.register(streamRoutes, { stream })
}
