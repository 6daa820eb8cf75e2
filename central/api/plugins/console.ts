import { existsSync } from 'node:fs'
import { join } from 'node:path'
import fastifyStatic from '@fastify/static'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { ProblemError } from '../problem.js'

/** Paths that are never a page of the console, however they are spelt further on. */
const notPages = /^\/(api|public\/v1|ingest|healthz|readyz|metrics|assets)(\/|$)/
const hashedAssetsMaxAgeMs = 365 * 24 * 3_600_000

/**
 * The built console: files as they are, and its page for every address it routes itself. The citizens' page is the second
 * entry, under /public. `answer` serves what no route took; false: not a page.
 */
export const addConsole = async (
  app: FastifyInstance,
  directory: string | undefined,
): Promise<(request: FastifyRequest, reply: FastifyReply) => boolean> => {
  const built = directory !== undefined && existsSync(join(directory, 'index.html'))
  if (built) {
    await app.register(fastifyStatic, {
      root: directory,
      cacheControl: false,
      setHeaders: (response, path) => {
        const isHashed = path.includes(`${join(directory, 'assets')}`)
        const age = isHashed ? `public, max-age=${hashedAssetsMaxAgeMs / 1000}, immutable` : 'no-cache'
        response.setHeader('cache-control', age)
      },
    })
  }
  return (request, reply) => {
    const path = request.url.split('?')[0]!
    const isPage = request.method === 'GET' && !notPages.test(path) && !/\.[a-z0-9]+$/i.test(path)
    if (!isPage) return false
    if (!built) {
      throw new ProblemError(
        404,
        'The console is not built',
        'Run npm run build, then start central again. The API is under /api/docs.',
      )
    }
    const isPublic = /^\/public(\/|$)/.test(path) && existsSync(join(directory, 'public.html'))
    void reply.sendFile(isPublic ? 'public.html' : 'index.html')
    return true
  }
}
