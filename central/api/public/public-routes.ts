import rateLimit, { type RateLimitPluginOptions } from '@fastify/rate-limit'
import { type FastifyPluginAsyncTypebox, Type } from '@fastify/type-provider-typebox'
import { HotspotCollection, HotspotReadings } from '@watchpost/shared/api/public'
import { Id, Sha256 } from '@watchpost/shared/contracts/primitives'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { notFound, ProblemError } from '../problem.js'
import { type CachedBody, createCachedBody } from './cached-reply.js'
import type { Hotspots } from './hotspots.js'
import type { PublicSnapshots } from './public-snapshots.js'
import { createSerialisers } from './serialisers.js'

interface PublicOptions {
  readonly hotspots: Hotspots
  readonly snapshots: PublicSnapshots | undefined
  /** Per address; 0: no limit. */
  readonly requestsPerMinute: number
  /** Milliseconds that only go forward. */
  readonly uptimeMs: () => number
}

const collectionFreshMs = 2000
const readingsFreshMs = 30_000
const tags = ['public']

/**
 * A lean scope: no cookies, no sign-in, no helmet, no compression; bodies are serialised once through the public schemas
 * and then sent as they are. In front of it nginx serves the crowd.
 */
export const publicRoutes: FastifyPluginAsyncTypebox<PublicOptions> = async (app, options) => {
  const { hotspots, snapshots, uptimeMs } = options
  const serialise = createSerialisers()
  const collection = createCachedBody({
    make: async () => serialise.collection(await hotspots.collection()),
    freshMs: collectionFreshMs,
    uptimeMs,
  })
  const readings = new Map<string, () => Promise<CachedBody>>()

  app.addHook('onRequest', (_request, reply, done) => {
    reply.header('access-control-allow-origin', '*')
    reply.header('x-content-type-options', 'nosniff')
    done()
  })
  if (options.requestsPerMinute > 0) await app.register(rateLimit, limitOf(options.requestsPerMinute))

  app.get(
    '/hotspots',
    { schema: { tags, summary: 'All hotspots in one call (GeoJSON)', response: { 200: HotspotCollection } } },
    async (request, reply) => {
      reply.header('cache-control', 'public, max-age=5, stale-while-revalidate=10, stale-if-error=60')
      return sendCached(request, reply, 'application/geo+json; charset=utf-8', await collection())
    },
  )

  app.get(
    '/hotspots/:id/readings',
    {
      schema: {
        tags,
        summary: 'Water level of the last 24 hours',
        params: Type.Object({ id: Id }),
        response: { 200: HotspotReadings },
      },
    },
    async (request, reply) => {
      const { id } = request.params
      const cached =
        readings.get(id) ??
        createCachedBody({
          make: async () => {
            const found = await hotspots.readings(id)
            if (!found) throw notFound('hotspot', id)
            return serialise.readings(found)
          },
          freshMs: readingsFreshMs,
          uptimeMs,
        })
      const body = await cached()
      // Only hotspots that exist are remembered, so names somebody makes up cost no memory.
      readings.set(id, cached)
      reply.header('cache-control', 'public, max-age=30, stale-while-revalidate=60, stale-if-error=300')
      return sendCached(request, reply, 'application/json; charset=utf-8', body)
    },
  )

  app.get(
    '/snapshots/:sha256.jpg',
    {
      schema: {
        tags,
        summary: 'Redacted picture of a hotspot',
        params: Type.Object({ sha256: Sha256 }),
        produces: ['image/jpeg'],
      },
    },
    async (request, reply) => {
      const { sha256 } = request.params
      const bytes = snapshots?.bytes(sha256)
      if (!bytes) throw new ProblemError(404, 'No such picture', 'Take the address from the newest /hotspots.')
      const etag = `"${sha256}"`
      reply.headers({ etag, 'cache-control': 'public, max-age=31536000, immutable' })
      if (request.headers['if-none-match'] === etag) return reply.code(304).send()
      return reply.type('image/jpeg').send(bytes)
    },
  )
}

/** Per address (an IPv6 caller's whole /64); after a hook of its own, so that a page of another origin can read the refusal. */
const limitOf = (requestsPerMinute: number): RateLimitPluginOptions => ({
  max: requestsPerMinute,
  timeWindow: 60_000,
  cache: 50_000,
  // One caller's count must not stand in a reply that proxies keep for all.
  addHeaders: { 'x-ratelimit-limit': false, 'x-ratelimit-remaining': false, 'x-ratelimit-reset': false },
  addHeadersOnExceeding: { 'x-ratelimit-limit': false, 'x-ratelimit-remaining': false, 'x-ratelimit-reset': false },
  errorResponseBuilder: (_request, { ttl }) => {
    const waitSeconds = Math.ceil(ttl / 1000)
    return new ProblemError(429, 'Too many requests', `Wait ${waitSeconds} seconds; one call holds all hotspots.`)
  },
})

const sendCached = (
  request: FastifyRequest,
  reply: FastifyReply,
  mediaType: string,
  { body, etag }: CachedBody,
): FastifyReply => {
  reply.header('etag', etag)
  if (request.headers['if-none-match'] === etag) return reply.code(304).send()
  // A buffer passes the route's serialiser by; it was made by the serialiser of the same schema.
  return reply.type(mediaType).send(body)
}
