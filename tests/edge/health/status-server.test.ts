import { request } from 'node:http'
import { Value } from '@sinclair/typebox/value'
import { Health } from '@watchpost/shared/contracts/agent-status'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { type AgentSnapshot, healthOf } from '../../../edge/health/agent-snapshot.js'
import { createStatusServer, type StatusServer } from '../../../edge/health/status-server.js'

const snapshot: AgentSnapshot = {
  siteId: 'an-cuu',
  agentId: 'an-cuu-1',
  version: '0.1.0',
  at: 1793070245678,
  startedAt: 1793070000000,
  cameras: [
    {
      cameraId: 'le-loi-1',
      name: 'Lê Lợi <1>',
      condition: 'ok',
      problem: null,
      fps: 5,
      decodeErrors: 2,
      reconnects: 1,
      lastFrameAgeMs: 200,
      inferenceMs: 31,
      dropped: { 'newer-frame': 7 },
    },
  ],
  outbox: {
    epoch: 1793070000000,
    size: 4,
    oldestSeq: 3,
    oldestAgeMs: 1500,
    lastSeq: 6,
    ackedSeq: 2,
    acked: 2,
    deadLetters: 0,
    keptDeadLetters: 0,
    thinned: 0,
    appended: 6,
  },
  recorder: { problem: null, held: 0, dropped: { 'observation.v1': 0, 'event.v1': 0, 'camera-health.v1': 0 } },
  uplink: { isConnected: true, problem: null, since: 0, inFlightBatches: 0, sentEnvelopes: 9, rewinds: 1 },
  evidence: { pending: 1, bytes: 48213 },
  eventLoopLagMs: 1.5,
  configErrors: [],
}
const unauthorised: AgentSnapshot = {
  ...snapshot,
  cameras: [
    {
      ...snapshot.cameras[0]!,
      condition: 'unauthorised',
      problem: { message: 'RTSP server answered 401', hint: 'Check source.username.' },
    },
  ],
}
const diskFull: AgentSnapshot = {
  ...snapshot,
  recorder: {
    ...snapshot.recorder,
    problem: { message: 'no room left on the disk', hint: 'Free disk space.', since: 0 },
  },
}

let server: StatusServer | undefined
afterEach(async () => {
  await server?.stop()
  server = undefined
})
const log = () => ({ info: vi.fn(), error: vi.fn() })
const get = async (shown: AgentSnapshot, path: string, headers: Record<string, string> = {}) => {
  server = createStatusServer({ host: '127.0.0.1', port: 0, look: async () => shown, log: log() })
  await server.start()
  const response = await fetch(`http://127.0.0.1:${server.address()?.port}${path}`, { headers })
  return { status: response.status, text: await response.text() }
}

describe('the status page', () => {
  it('is Vietnamese by default and English when the browser prefers it', async () => {
    expect((await get(snapshot, '/')).text).toContain('Mọi thứ bình thường')
    await server?.stop()
    expect((await get(snapshot, '/', { 'accept-language': 'en-GB,vi;q=0.5' })).text).toContain('All is well')
  })

  it("shows a camera's condition with what to do", async () => {
    const { text } = await get(unauthorised, '/', { 'accept-language': 'en' })
    expect(text).toContain('wrong credentials')
    expect(text).toContain('Check source.username.')
  })

  it('escapes names', async () => {
    expect((await get(snapshot, '/')).text).toContain('Lê Lợi &lt;1&gt;')
  })
})

describe('/healthz', () => {
  it('is ok when all is well', async () => {
    const { status, text } = await get(snapshot, '/healthz')
    expect([status, JSON.parse(text)]).toEqual([200, { status: 'ok', agent: 'an-cuu-1', problems: [] }])
  })

  it('is degraded, and no reason to restart, when a camera is away', async () => {
    const { status, text } = await get(unauthorised, '/healthz')
    expect([status, JSON.parse(text).status]).toEqual([200, 'degraded'])
  })

  it('is degraded while refused messages are kept, and not for ever', async () => {
    const refused = (keptDeadLetters: number) => ({
      ...snapshot,
      outbox: { ...snapshot.outbox, deadLetters: 3, keptDeadLetters },
    })
    expect(JSON.parse((await get(refused(3), '/healthz')).text)).toMatchObject({
      status: 'degraded',
      problems: [{ hint: expect.stringContaining('clear-dead-letters') }],
    })
    await server?.stop()
    expect(JSON.parse((await get(refused(0), '/healthz')).text).status).toBe('ok')
  })

  it('fails when nothing can be recorded', async () => {
    const { status, text } = await get(diskFull, '/healthz')
    expect([status, JSON.parse(text).problems[0].hint]).toEqual([503, 'Free disk space.'])
  })
})

describe('/metrics', () => {
  it('names the counters of every room', async () => {
    const { text } = await get(snapshot, '/metrics')
    expect(text).toContain('watchpost_edge_frames_dropped_total{camera="le-loi-1",reason="newer-frame"} 7')
    expect(text).toContain('watchpost_edge_outbox_messages 4')
    expect(text).toContain('watchpost_edge_camera_inference_seconds{camera="le-loi-1"} 0.031')
    expect(text).toContain('watchpost_edge_event_loop_lag_seconds 0.0015')
  })

  it('shows the same totals when it is read again', async () => {
    await get(snapshot, '/metrics')
    const again = await fetch(`http://127.0.0.1:${server?.address()?.port}/metrics`)
    expect(await again.text()).toContain('watchpost_edge_outbox_appended_total 6')
  })
})

describe('the status server', () => {
  it('knows what is not there', async () => {
    expect((await get(snapshot, '/etc/passwd')).status).toBe(404)
  })

  it.each(['//', '/\\\\', '//[', '/constructor', '/?a=//'])('answers a request for %s and lives on', async path => {
    await get(snapshot, '/')
    const { port } = server!.address()!
    const status = await new Promise<number | undefined>((resolve, reject) =>
      request({ port, path }, response => resolve(response.resume().statusCode))
        .on('error', reject)
        .end(),
    )
    expect(status).toBe(path === '/?a=//' ? 200 : 404)
    expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).toBe(200)
  })

  it('goes on without a page when the port is taken', async () => {
    await get(snapshot, '/')
    const told = log()
    const port = server?.address()?.port ?? 0
    const second = createStatusServer({ host: '127.0.0.1', port, look: async () => snapshot, log: told })
    await second.start()
    expect(told.error).toHaveBeenCalledWith(
      expect.objectContaining({ hint: expect.stringContaining('status.port') }),
      expect.any(String),
    )
    await second.stop()
  })
})

describe('the health message', () => {
  it('fits its contract', () => {
    expect([...Value.Errors(Health, healthOf(unauthorised))]).toEqual([])
  })
})
