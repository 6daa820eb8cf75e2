import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { ProblemError, problemOf, problemType } from '../problem.js'

/** The one place where errors become answers. A 5xx says nothing of what happened inside; the log does. */
export const setErrorAnswers = (app: FastifyInstance): void => {
  app.setErrorHandler((error: FastifyError | ProblemError, request, reply) => {
    const instance = request.id
    if (error instanceof ProblemError) {
      const { status, message, detail, errors } = error
      if (status >= 500) request.log.warn({ err: error }, 'Request could not be answered')
      const body = problemOf(status, message, { detail, instance, ...(errors.length > 0 && { errors: [...errors] }) })
      return send(reply, status, body)
    }
    if (error.validation) {
      const errors = error.validation.map(({ instancePath, message, params }) => ({
        path: `/${error.validationContext ?? 'body'}${instancePath}`,
        message: [message ?? 'is invalid', ...paramText(params)].join(': '),
      }))
      return send(reply, 400, problemOf(400, 'Request does not fit its schema', { instance, errors }))
    }
    const status = error.statusCode ?? 500
    if (status < 500) return send(reply, status, problemOf(status, error.message, { instance }))
    request.log.error({ err: error }, 'Request failed')
    const detail = 'The log has the cause under this instance id.'
    return send(reply, status, problemOf(status, 'Internal error', { detail, instance }))
  })
}

export const sendNotFound = (request: FastifyRequest, reply: FastifyReply): FastifyReply =>
  send(
    reply,
    404,
    problemOf(404, 'No such resource', {
      detail: `${request.method} ${request.url} is not served here.`,
      instance: request.id,
    }),
  )

const send = (reply: FastifyReply, status: number, body: ReturnType<typeof problemOf>): FastifyReply =>
  // A string: the route's own reply schemas are not for problems.
  reply.code(status).type(problemType).serializer(String).send(JSON.stringify(body))

const paramText = (params: Record<string, unknown>): string[] =>
  [params.allowedValues, params.allowedValue, params.additionalProperty]
    .filter(value => value !== undefined)
    .map(value => (Array.isArray(value) ? value.join(', ') : String(value)))
