import { type FastifyPluginAsyncTypebox, Type } from '@fastify/type-provider-typebox'
import { CameraView } from '@watchpost/shared/api/incidents'
import { Id } from '@watchpost/shared/contracts/primitives'
import type { EvidenceStore } from '../../evidence/evidence-store.js'
import { meOf } from '../plugins/sign-in.js'
import { notFound, ProblemError } from '../problem.js'
import type { CameraViews } from './camera-views.js'

interface CameraOptions {
  readonly views: CameraViews
  readonly evidence: Pick<EvidenceStore, 'find'>
}
const params = Type.Object({ id: Id })
const tags = ['cameras']

export const cameraRoutes: FastifyPluginAsyncTypebox<CameraOptions> = async (app, { views, evidence }) => {
  app.get(
    '/cameras',
    { schema: { tags, summary: 'All cameras', response: { 200: Type.Object({ items: Type.Array(CameraView) }) } } },
    async request => ({ items: [...(await views.all(meOf(request)))] }),
  )

  app.get(
    '/cameras/:id',
    { schema: { tags, summary: 'One camera', params, response: { 200: CameraView } } },
    async request => {
      const camera = await views.one(request.params.id, meOf(request))
      if (!camera) throw notFound('camera', request.params.id)
      return camera
    },
  )

  app.get(
    '/cameras/:id/snapshot',
    { schema: { tags, summary: 'Newest picture (JPEG)', params, produces: ['image/jpeg'] } },
    async (request, reply) => {
      const camera = await views.one(request.params.id, meOf(request))
      if (!camera) throw notFound('camera', request.params.id)
      const file = camera.snapshot && (await evidence.find(camera.snapshot.sha256))
      if (!file) {
        throw new ProblemError(
          404,
          'No picture yet',
          `Camera "${camera.id}" has not sent a picture that is still held.`,
        )
      }
      const etag = `"${file.evidence.sha256}"`
      reply.headers({ etag, 'cache-control': 'private, no-cache', 'x-taken-at': camera.snapshot!.takenAt })
      if (request.headers['if-none-match'] === etag) return reply.code(304).send()
      return reply.type('image/jpeg').header('content-length', file.evidence.bytes).send(file.open())
    },
  )
}
