import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { AgentSnapshot } from './agent-snapshot.js'
import { createMetrics } from './metrics.js'
import { problemsOf } from './problems.js'
import { renderStatusPage } from './status-page.js'
import { languageOf } from './status-words.js'

export interface StatusServerOptions {
  readonly host: string
  /** 0: any free port. */
  readonly port: number
  readonly look: () => Promise<AgentSnapshot>
  readonly log: { info(fields: object, message: string): void; error(fields: object, message: string): void }
}

export interface StatusServer {
  /** Best effort: an agent whose status port is taken goes on without a status page and says so in its log. */
  start(): Promise<void>
  stop(): Promise<void>
  /** Null while not listening. */
  address(): { readonly host: string; readonly port: number } | null
}

interface Answer {
  readonly status: number
  readonly type: string
  readonly body: string
}

/** `/` for people, `/healthz` for a supervisor, `/metrics` for Prometheus. Read-only, and bound to this machine by default. */
export const createStatusServer = ({ host, port, look, log }: StatusServerOptions): StatusServer => {
  const metrics = createMetrics()
  const routes: Readonly<Record<string, (request: IncomingMessage) => Promise<Answer>>> = {
    '/': async request => ({
      status: 200,
      type: 'text/html; charset=utf-8',
      body: renderStatusPage(await look(), languageOf(request.headers['accept-language'])),
    }),
    '/healthz': async () => healthz(await look()),
    '/metrics': async () => ({ status: 200, type: metrics.contentType, body: await metrics.text(await look()) }),
  }

  const answer = async (request: IncomingMessage): Promise<Answer> => {
    // Not by `new URL`: it throws at what scanners ask for, such as `//`.
    const [path = '/'] = (request.url ?? '/').split('?')
    const route = Object.hasOwn(routes, path) ? routes[path] : undefined
    if (!route) return { status: 404, type: 'text/plain', body: 'Not found. Here are / , /healthz and /metrics.\n' }
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return { status: 405, type: 'text/plain', body: 'Only GET is answered here.\n' }
    try {
      return await route(request)
    } catch (error) {
      log.error({ err: error, url: request.url }, 'The status page cannot be made')
      return { status: 503, type: 'text/plain', body: 'The agent cannot say how it is; see its log.\n' }
    }
  }

  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    void answer(request).then(({ status, type, body }) => {
      response.writeHead(status, {
        'content-type': type,
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
      })
      response.end(request.method === 'HEAD' ? undefined : body)
    })
  })

  return {
    start: () =>
      new Promise(resolve => {
        server.once('error', error => {
          log.error(
            { err: error, host, port, hint: 'Set status.port to a free port.' },
            'The status page is not available',
          )
          resolve()
        })
        server.listen(port, host, () => {
          const { port: bound } = server.address() as AddressInfo
          log.info({ url: `http://${host}:${bound}/` }, 'Status page is ready')
          resolve()
        })
      }),
    stop: () =>
      new Promise(resolve => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
    address: () => {
      const bound = server.address() as AddressInfo | null
      return bound && { host: bound.address, port: bound.port }
    },
  }
}

/** 503 only when nothing can be recorded: a camera or a broker that is away is no reason to restart the agent. */
const healthz = (snapshot: AgentSnapshot): Answer => {
  const problems = problemsOf(snapshot)
  const status = snapshot.recorder.problem ? 'failing' : problems.length > 0 ? 'degraded' : 'ok'
  return {
    status: status === 'failing' ? 503 : 200,
    type: 'application/json',
    body: `${JSON.stringify({ status, agent: snapshot.agentId, problems })}\n`,
  }
}
