import { type FastifyPluginAsyncTypebox, Type } from '@fastify/type-provider-typebox'
import { Id, Sha256 } from '@watchpost/shared/contracts/primitives'
import type { PackageStore } from '../../models/package-store.js'
import { parseRange } from '../ioc/byte-range.js'
import { ProblemError } from '../problem.js'
import { authorise } from './evidence-routes.js'

interface DownloadOptions {
  readonly packages: PackageStore
  /** Token by agent; undefined: only loopback may download. */
  readonly tokens?: ReadonlyMap<string, string>
}

/** `GET /ingest/v1/models/{sha256}`: how model packages reach agents, in ranges when a link broke. */
export const modelDownload: FastifyPluginAsyncTypebox<DownloadOptions> = async (app, { packages, tokens }) => {
  app.get(
    '/models/:sha256',
    {
      schema: {
        tags: ['agents'],
        summary: 'A model package',
        headers: Type.Object({ 'x-watchpost-agent': Id }),
        params: Type.Object({ sha256: Sha256 }),
        produces: ['application/octet-stream'],
      },
      preParsing: async request => authorise(request, tokens),
    },
    async (request, reply) => {
      const { sha256 } = request.params
      const found = packages.find(sha256)
      if (!found)
        throw new ProblemError(404, 'No such package', 'It was never uploaded to central, or is not whole yet.')
      const { bytes } = found
      reply.headers({ etag: `"${sha256}"`, 'accept-ranges': 'bytes', 'cache-control': 'private, immutable' })
      const range = parseRange(request.headers.range, bytes)
      if (range === 'unsatisfiable') {
        reply.header('content-range', `bytes */${bytes}`)
        throw new ProblemError(416, 'Range not satisfiable', `The package has ${bytes} bytes.`)
      }
      reply.type('application/octet-stream')
      if (!range) return reply.header('content-length', bytes).send(packages.open(sha256))
      reply.code(206).headers({
        'content-range': `bytes ${range.start}-${range.end}/${bytes}`,
        'content-length': range.end - range.start + 1,
      })
      return reply.send(packages.open(sha256, range))
    },
  )
}
