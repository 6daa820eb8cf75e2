import type { FastifyRequest } from 'fastify'

/** Lists in a query string may be repeated keys or one value with commas: `?state=new&state=reopened`, `?state=new,reopened`. */
export const splitLists =
  (...names: readonly string[]) =>
  async (request: FastifyRequest): Promise<void> => {
    const query = request.query as Record<string, unknown>
    for (const name of names) {
      const given = query[name]
      if (given !== undefined) query[name] = [given].flat().flatMap(text => String(text).split(','))
    }
  }
