import { createHash } from 'node:crypto'
import type { Incident, Me } from '@watchpost/shared/api/incidents'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { CommandOptions, Outcome } from '../../incidents/incidents.js'
import { notFound, ProblemError } from '../problem.js'

export const etagOf = (incident: Incident): string => `"${incident.version}"`

/** The version a client's change was made on; undefined: it does not mind (`*` or no header). */
export const expectedVersion = (ifMatch: string | undefined): number | undefined => {
  if (ifMatch === undefined || ifMatch.trim() === '*') return undefined
  const version = /^\s*(?:W\/)?"?(\d+)"?\s*$/.exec(ifMatch)?.[1]
  if (version !== undefined) return Number(version)
  throw new ProblemError(400, 'Malformed If-Match', 'Send the ETag of the incident, e.g. If-Match: "3".')
}

/** A repeated request is known by its key and its person; with another body it is a mistake of the client. */
export const requestKeyOf = (request: FastifyRequest, me: Me): CommandOptions => {
  const key = request.headers['idempotency-key']
  if (typeof key !== 'string') return {}
  const asked = JSON.stringify([request.method, request.url, request.body])
  const fingerprint = createHash('sha256').update(asked).digest('hex')
  return { request: { key: `${me.name}/${key}`, fingerprint } }
}

/** The incident as it is after the command; what was refused is thrown as a problem. */
export const answer = (reply: FastifyReply, outcome: Outcome, what: string, id: string): Incident => {
  if (outcome.ok) {
    reply.header('etag', etagOf(outcome.incident))
    return outcome.incident
  }
  switch (outcome.reason) {
    case 'not-found':
      throw notFound(what, id)
    case 'stale':
      throw new ProblemError(
        412,
        'The incident has changed meanwhile',
        'Read it again, look at what changed, and send the change with its new ETag.',
      )
    case 'key-reused':
      throw new ProblemError(
        422,
        'Idempotency-Key was used for another request',
        'Use a new key for every change; repeat a key only to repeat the same request.',
      )
    case 'refused': {
      const { path, message, hint } = outcome
      if (path === 'role') throw new ProblemError(403, 'Not allowed', `${message}. ${hint}`)
      throw new ProblemError(422, 'Not possible now', message, [{ path: `/${path}`, message, hint }])
    }
  }
}
