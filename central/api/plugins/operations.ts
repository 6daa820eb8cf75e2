import type { FastifyPluginAsync } from 'fastify'
import type { Registry } from 'prom-client'

/** One thing that must work before central is sent traffic. */
export interface ReadinessCheck {
  readonly name: string
  /** Null when it works, else what is wrong and what to do. */
  readonly trouble: () => string | null | Promise<string | null>
}

export interface OperationsOptions {
  readonly metrics: Registry
  readonly checks: readonly ReadinessCheck[]
}

/** A check that hangs is a trouble of its own. */
const longestCheckMs = 3000

/**
 * For supervisors, load balancers and Prometheus. `/healthz`: the process answers. `/readyz`: everything it needs works;
 * 503 with the list of troubles otherwise. They carry no secrets, and nginx keeps them from the outside.
 */
export const operations = ({ metrics, checks }: OperationsOptions): FastifyPluginAsync => {
  const judge = async ({ name, trouble }: ReadinessCheck) => ({ name, trouble: await within(longestCheckMs, trouble) })

  return async app => {
    app.get('/healthz', async () => ({ status: 'alive' }))
    app.get('/readyz', async (_, reply) => {
      const results = await Promise.all(checks.map(judge))
      const isReady = results.every(({ trouble }) => trouble === null)
      return reply
        .code(isReady ? 200 : 503)
        .header('cache-control', 'no-store')
        .send({ status: isReady ? 'ready' : 'not-ready', checks: results })
    })
    app.get('/metrics', async (_, reply) =>
      reply.header('content-type', metrics.contentType).send(await metrics.metrics()),
    )
  }
}

const within = async (limitMs: number, trouble: ReadinessCheck['trouble']): Promise<string | null> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<string>(resolve => {
    timer = setTimeout(resolve, limitMs, `no answer within ${limitMs} ms`)
  })
  try {
    return await Promise.race([Promise.resolve(trouble()), late])
  } catch (error) {
    return (error as Error).message
  } finally {
    clearTimeout(timer)
  }
}
