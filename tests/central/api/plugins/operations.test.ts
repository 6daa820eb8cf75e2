import Fastify from 'fastify'
import { Counter, Registry } from 'prom-client'
import { describe, expect, it } from 'vitest'
import { operations, type ReadinessCheck } from '../../../../central/api/plugins/operations.js'

const ask = async (path: string, checks: readonly ReadinessCheck[], metrics = new Registry()) => {
  const app = Fastify()
  await app.register(operations({ metrics, checks }))
  return app.inject(path)
}

describe('/readyz', () => {
  it('is 200 when everything works', async () => {
    const response = await ask('/readyz', [{ name: 'log', trouble: () => null }])
    expect([response.statusCode, response.json()]).toEqual([
      200,
      { status: 'ready', checks: [{ name: 'log', trouble: null }] },
    ])
  })

  it('is 503 and names each trouble, also of a check that throws or hangs', async () => {
    const response = await ask('/readyz', [
      { name: 'fine', trouble: () => null },
      { name: 'broker', trouble: () => 'is away' },
      { name: 'timeseries', trouble: () => Promise.reject(new Error('refused')) },
      { name: 'stuck', trouble: () => new Promise(() => undefined) },
    ])
    expect(response.statusCode).toBe(503)
    expect(response.json().checks.map(({ trouble }: { trouble: string | null }) => trouble)).toEqual([
      null,
      'is away',
      'refused',
      'no answer within 3000 ms',
    ])
  })
})

describe('/metrics and /healthz', () => {
  it('answer', async () => {
    const metrics = new Registry()
    new Counter({ name: 'seen_total', help: 'Seen', registers: [metrics] }).inc(3)
    const response = await ask('/metrics', [], metrics)
    expect(response.body).toContain('seen_total 3')
    expect(response.headers['content-type']).toContain('text/plain')
    expect((await ask('/healthz', [{ name: 'broker', trouble: () => 'is away' }])).statusCode).toBe(200)
  })
})
