import { type FastifyPluginAsyncTypebox, Type } from '@fastify/type-provider-typebox'
import {
  Incident,
  IncidentPage,
  incidentStates,
  NoteBody,
  settledStates,
  Transition,
} from '@watchpost/shared/api/incidents'
import { IncidentQuery } from '@watchpost/shared/api/requests'
import type { IncidentFilter } from '../../incidents/incident-store.js'
import type { Incidents } from '../../incidents/incidents.js'
import { cursorOf, parseCursor } from '../cursor.js'
import { caseWorkers, meOf } from '../plugins/sign-in.js'
import { notFound, ProblemError } from '../problem.js'
import { splitLists } from './comma-lists.js'
import { answer, etagOf, expectedVersion, requestKeyOf } from './outcome.js'

const params = Type.Object({ id: Type.String({ maxLength: 64 }) })
const changeHeaders = Type.Object({
  'idempotency-key': Type.Optional(Type.String({ minLength: 1, maxLength: 100 })),
  'if-match': Type.Optional(Type.String({ maxLength: 40 })),
})
const tags = ['incidents']

export const incidentRoutes: FastifyPluginAsyncTypebox<{ readonly incidents: Incidents }> = async (
  app,
  { incidents },
) => {
  app.get(
    '/incidents',
    {
      preValidation: splitLists('state', 'kind', 'severity'),
      schema: { tags, summary: 'Newest opened first', querystring: IncidentQuery, response: { 200: IncidentPage } },
    },
    async request => {
      const { limit, cursor } = request.query
      const after = parseCursor(cursor)
      const page = await incidents.list(filterOf(request.query), { limit, ...(after && { after }) }, meOf(request))
      return { items: [...page.items], nextCursor: cursorOf(page.next) }
    },
  )

  app.get(
    '/incidents/:id',
    { schema: { tags, summary: 'With its events and timeline', params, response: { 200: Incident } } },
    async (request, reply) => {
      const incident = await incidents.get(request.params.id, meOf(request))
      if (!incident) throw notFound('incident', request.params.id)
      reply.header('etag', etagOf(incident))
      return incident
    },
  )

  app.post(
    '/incidents/:id/transitions',
    {
      config: { roles: caseWorkers },
      schema: {
        tags,
        summary: 'Move an incident to its next state',
        params,
        headers: changeHeaders,
        body: Transition,
        response: { 200: Incident },
      },
    },
    async (request, reply) => {
      const me = meOf(request)
      if (request.headers['if-match'] === undefined) {
        throw new ProblemError(428, 'If-Match is missing', 'Send the ETag of the incident that you looked at.')
      }
      const version = expectedVersion(request.headers['if-match'])
      const outcome = await incidents.transition(request.params.id, request.body, me, {
        ...(version !== undefined && { expectedVersion: version }),
        ...requestKeyOf(request, me),
      })
      return answer(reply, outcome, 'incident', request.params.id)
    },
  )

  app.post(
    '/incidents/:id/notes',
    {
      config: { roles: caseWorkers },
      schema: {
        tags,
        summary: 'Add a note to the timeline',
        params,
        headers: changeHeaders,
        body: NoteBody,
        response: { 200: Incident },
      },
    },
    async (request, reply) => {
      const me = meOf(request)
      const version = expectedVersion(request.headers['if-match'])
      const outcome = await incidents.note(request.params.id, request.body.note, me, {
        ...(version !== undefined && { expectedVersion: version }),
        ...requestKeyOf(request, me),
      })
      return answer(reply, outcome, 'incident', request.params.id)
    },
  )
}

const filterOf = (query: IncidentQuery): IncidentFilter => {
  const { state, open, kind, severity, camera, ward, hotspot, since, until } = query
  const states =
    open === undefined ? state : (state ?? incidentStates).filter(name => settledStates.includes(name) !== open)
  return {
    ...(states && { states }),
    ...(kind && { kinds: kind }),
    ...(severity && { severities: severity }),
    ...(camera !== undefined && { cameraId: camera }),
    ...(ward !== undefined && { wardId: ward }),
    ...(hotspot !== undefined && { hotspotId: hotspot }),
    ...(since !== undefined && { sinceMs: Date.parse(since) }),
    ...(until !== undefined && { untilMs: Date.parse(until) }),
  }
}
