import { type FastifyPluginAsyncTypebox, Type } from '@fastify/type-provider-typebox'
import { AgentView, Ledger } from '@watchpost/shared/api/incidents'
import { CommandBody } from '@watchpost/shared/api/requests'
import { Id } from '@watchpost/shared/contracts/primitives'
import { CommandReply } from '@watchpost/shared/contracts/twin'
import type { Ingest } from '../../ingest/ingest.js'
import type { Registry } from '../../registry/registry.js'
import { engineers, meOf } from '../plugins/sign-in.js'
import { notFound, ProblemError } from '../problem.js'
import type { CameraViews } from './camera-views.js'

interface AgentOptions {
  readonly registry: Pick<Registry, 'command'>
  readonly ledger: Ingest['ledger']
  readonly views: CameraViews
}
const params = Type.Object({ id: Id })
const tags = ['agents']

export const agentRoutes: FastifyPluginAsyncTypebox<AgentOptions> = async (app, { registry, ledger, views }) => {
  app.get(
    '/agents',
    { schema: { tags, summary: 'All agents', response: { 200: Type.Object({ items: Type.Array(AgentView) }) } } },
    async request => ({ items: [...views.agents(meOf(request))] }),
  )

  app.get(
    '/agents/:id/ledger',
    { schema: { tags, summary: 'What was committed, and the first gap', params, response: { 200: Ledger } } },
    async request => {
      const { id } = request.params
      const agent = views.agents(meOf(request)).find(view => view.id === id)
      if (!agent) throw notFound('agent', id)
      // Named in the city file but silent so far: an empty ledger, not an error.
      return (await ledger(id)) ?? { agentId: id, siteId: agent.siteId, epochs: [] }
    },
  )

  app.post(
    '/agents/:id/commands',
    {
      config: { roles: engineers },
      schema: {
        tags,
        summary: 'Send a command and wait for the reply',
        params,
        body: CommandBody,
        response: { 200: CommandReply },
      },
    },
    async request => {
      const { id } = request.params
      const { name, cameraId, model } = request.body
      if (!views.agents(meOf(request)).some(agent => agent.id === id)) throw notFound('agent', id)
      return registry
        .command(id, name, { ...(cameraId !== undefined && { cameraId }), ...(model && { model }) })
        .catch((error: Error) => {
          throw problemOfCommand(error)
        })
    },
  )
}

const problemOfCommand = (error: Error): Error => {
  switch (error.name) {
    case 'CommandTimeoutError':
      return new ProblemError(504, 'The agent did not answer', `${error.message} Is it online? See /api/v1/agents.`)
    case 'UnknownAgentError':
      return new ProblemError(
        409,
        'The city file does not name this agent',
        'Add it to its site in the city file and reload central (SIGHUP); then send the command again.',
      )
    case 'NotConnectedError':
      return new ProblemError(
        503,
        'The broker is away',
        'The command was not sent. See /readyz for what is wrong, and send it again when the broker is back.',
      )
    default:
      return error
  }
}
