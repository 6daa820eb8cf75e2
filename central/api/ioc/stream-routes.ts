import { type FastifyPluginAsyncTypebox, Type } from '@fastify/type-provider-typebox'
import { meOf } from '../plugins/sign-in.js'
import type { ChangeStream } from './change-stream.js'

export const streamRoutes: FastifyPluginAsyncTypebox<{ readonly stream: ChangeStream }> = async (app, { stream }) => {
  app.get(
    '/stream',
    {
      schema: {
        tags: ['stream'],
        summary: 'Changes as server-sent events',
        headers: Type.Object({ 'last-event-id': Type.Optional(Type.String({ maxLength: 60 })) }),
        produces: ['text/event-stream'],
      },
    },
    (request, reply) => {
      const me = meOf(request)
      reply.hijack()
      reply.raw.writeHead(200, {
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-store',
        connection: 'keep-alive',
        // nginx passes each event on at once.
        'x-accel-buffering': 'no',
      })
      stream.attach(reply.raw, me, request.headers['last-event-id'])
    },
  )
}
