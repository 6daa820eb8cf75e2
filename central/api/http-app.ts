import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import Fastify, { type FastifyServerOptions, LogController } from 'fastify'
import type { HttpApp, HttpDeps } from './http-deps.js'
import { evidenceUpload } from './ingest/evidence-routes.js'
import { modelDownload } from './ingest/model-download.js'
import { createAnnouncements } from './ioc/announcements.js'
import { createCameraViews } from './ioc/camera-views.js'
import { createChangeStream } from './ioc/change-stream.js'
import { operatorRoutes } from './ioc/operator-routes.js'
import { addConsole } from './plugins/console.js'
import { addDocuments, addDocumentsPage } from './plugins/documents.js'
import { sendNotFound, setErrorAnswers } from './plugins/errors.js'
import { addSecurityHeaders } from './plugins/security-headers.js'
import { createHotspots } from './public/hotspots.js'
import { publicRoutes } from './public/public-routes.js'
import { createPublicSnapshots } from './public/public-snapshots.js'
import { redact } from './public/redact.js'

const bodyLimitBytes = 1_000_000

/** Everything central serves over HTTP. Each part is a scope of its own, so a plugin of one never slows another. */
export const createHttpApp = async (deps: HttpDeps): Promise<HttpApp> => {
  const { evidence, incidents, registry, timeseries, clock, uptimeMs, log } = deps
  const app = Fastify({
    loggerInstance: log,
    trustProxy: trustedProxies(deps.http.trustProxy),
    bodyLimit: bodyLimitBytes,
    // A log line per request of the public would be the log; slow and failed ones are logged by the error handler.
    logController: new LogController({ disableRequestLogging: true }),
    ajv: { customOptions: { removeAdditional: false, allErrors: true, coerceTypes: 'array' } },
    return503OnClosing: true,
    forceCloseConnections: true,
  }).withTypeProvider<TypeBoxTypeProvider>()
  setErrorAnswers(app)
  await addDocuments(app, deps.version)

  const views = createCameraViews(registry, evidence)
  const stream = createChangeStream({ clock, uptimeMs })
  const announcements = createAnnouncements({ stream, views, uptimeMs, log })

  if (deps.operations) await app.register(deps.operations)
  if (deps.publicApi.enabled) {
    const snapshots = deps.publicApi.snapshots
      ? createPublicSnapshots({ evidence, incidents, redact, clock, log })
      : undefined
    const staleAfterMs = deps.publicApi.staleAfterSeconds * 1000
    const hotspots = createHotspots({ registry, timeseries, incidents, snapshots, staleAfterMs, clock, log })
    const { requestsPerMinute } = deps.publicApi
    await app.register(publicRoutes, { prefix: '/public/v1', hotspots, snapshots, requestsPerMinute, uptimeMs })
  }
  await app.register(evidenceUpload, {
    prefix: '/ingest/v1',
    evidence,
    registry,
    ...(deps.evidenceTokens && { tokens: deps.evidenceTokens }),
  })
  await app.register(modelDownload, {
    prefix: '/ingest/v1',
    packages: deps.models.packages,
    ...(deps.evidenceTokens && { tokens: deps.evidenceTokens }),
  })
  await app.register(addDocumentsPage, { prefix: '/api' })
  await app.register(operatorRoutes, { prefix: '/api/v1', ...deps, views, stream })
  await app.register(async pages => {
    const { secureCookies } = deps.http
    const mapStyleUrl = deps.map.styleUrl
    await addSecurityHeaders(pages, { secureCookies, ...(mapStyleUrl !== undefined && { mapStyleUrl }) })
    const answerPage = await addConsole(pages, deps.consoleDir)
    pages.setNotFoundHandler((request, reply) => {
      if (!answerPage(request, reply)) sendNotFound(request, reply)
    })
  })
  app.addHook('preClose', async () => stream.close())

  return { app, ...announcements, close: () => app.close() }
}

/**
 * Proxies add the address they see at the end of X-Forwarded-For; what stands before it the caller may have made up. Fastify's
 * own `true` would take the first one.
 */
const trustedProxies = (trust: HttpDeps['http']['trustProxy']): FastifyServerOptions['trustProxy'] => {
  if (typeof trust === 'object') return [...trust]
  const hops = Number(trust)
  return hops > 0 && ((_address, hop) => hop < hops)
}
