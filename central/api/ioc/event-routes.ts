import { type FastifyPluginAsyncTypebox, Type } from '@fastify/type-provider-typebox'
import { EventPage, Incident, IncidentEvent, Verdict, VerdictBody } from '@watchpost/shared/api/incidents'
import { EventQuery } from '@watchpost/shared/api/requests'
import type { Incidents } from '../../incidents/incidents.js'
import { cursorOf, parseCursor } from '../cursor.js'
import { meOf, reviewers } from '../plugins/sign-in.js'
import { notFound } from '../problem.js'
import { splitLists } from './comma-lists.js'
import { answer, requestKeyOf } from './outcome.js'

const params = Type.Object({ id: Type.String({ maxLength: 64 }) })
const tags = ['events']

export const eventRoutes: FastifyPluginAsyncTypebox<{ readonly incidents: Incidents }> = async (app, { incidents }) => {
  app.get(
    '/events',
    {
      preValidation: splitLists('kind'),
      schema: { tags, summary: 'Newest first', querystring: EventQuery, response: { 200: EventPage } },
    },
    async request => {
      const { limit, cursor, kind, camera, incident, since, until } = request.query
      const after = parseCursor(cursor)
      const filter = {
        ...(kind && { kinds: kind }),
        ...(camera !== undefined && { cameraId: camera }),
        ...(incident !== undefined && { incidentId: incident }),
        ...(since !== undefined && { sinceMs: Date.parse(since) }),
        ...(until !== undefined && { untilMs: Date.parse(until) }),
      }
      const page = await incidents.events(filter, { limit, ...(after && { after }) }, meOf(request))
      return { items: [...page.items], nextCursor: cursorOf(page.next) }
    },
  )

  app.get(
    '/events/:id',
    { schema: { tags, summary: 'One event', params, response: { 200: IncidentEvent } } },
    async request => {
      const event = await incidents.event(request.params.id, meOf(request))
      if (!event) throw notFound('event', request.params.id)
      return event
    },
  )

  app.get(
    '/events/:id/verdicts',
    {
      schema: {
        tags,
        summary: 'Every verdict on an event, oldest first; the last one is in force',
        params,
        response: { 200: Type.Object({ items: Type.Array(Verdict) }) },
      },
    },
    async request => {
      const verdicts = await incidents.verdicts(request.params.id, meOf(request))
      if (!verdicts) throw notFound('event', request.params.id)
      return { items: [...verdicts] }
    },
  )

  app.post(
    '/events/:id/verdict',
    {
      config: { roles: reviewers },
      schema: {
        tags,
        summary: 'Judge an event; answers with its incident',
        params,
        headers: Type.Object({ 'idempotency-key': Type.Optional(Type.String({ minLength: 1, maxLength: 100 })) }),
        body: VerdictBody,
        response: { 200: Incident },
      },
    },
    async (request, reply) => {
      const me = meOf(request)
      const outcome = await incidents.verdict(request.params.id, request.body, me, requestKeyOf(request, me))
      return answer(reply, outcome, 'event of an incident', request.params.id)
    },
  )
}
