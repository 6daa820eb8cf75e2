import { type FastifyPluginAsyncTypebox, Type } from '@fastify/type-provider-typebox'
import { Sha256 } from '@watchpost/shared/contracts/primitives'
import type { EvidenceStore } from '../../evidence/evidence-store.js'
import type { Incidents } from '../../incidents/incidents.js'
import { meOf } from '../plugins/sign-in.js'
import { ProblemError } from '../problem.js'
import { parseRange } from './byte-range.js'
import type { CameraViews } from './camera-views.js'

interface EvidenceOptions {
  readonly evidence: Pick<EvidenceStore, 'find'>
  readonly incidents: Pick<Incidents, 'namesEvidence'>
  readonly views: CameraViews
}

export const evidenceRoutes: FastifyPluginAsyncTypebox<EvidenceOptions> = async (
  app,
  { evidence, incidents, views },
) => {
  app.get(
    '/evidence/:sha256',
    {
      schema: {
        tags: ['evidence'],
        summary: 'A picture or clip as it was taken',
        params: Type.Object({ sha256: Sha256 }),
        produces: ['image/jpeg', 'video/mp4'],
      },
    },
    async (request, reply) => {
      const { sha256 } = request.params
      const me = meOf(request)
      const file = await evidence.find(sha256)
      const cameraId = file?.evidence.cameraId ?? null
      const mayShow =
        me.role !== 'wardOfficer' ||
        (await incidents.namesEvidence(sha256, me)) ||
        (cameraId !== null && (await views.one(cameraId, me)) !== undefined)
      if (!file || !mayShow) {
        throw new ProblemError(
          404,
          'Not here',
          'These bytes have not arrived (yet), were deleted after their retention, or are not of your ward.',
        )
      }
      const { bytes, mediaType } = file.evidence
      const etag = `"${sha256}"`
      reply.headers({
        etag,
        // The address is the hash of the bytes, so they never change.
        'cache-control': 'private, max-age=31536000, immutable',
        'accept-ranges': 'bytes',
      })
      if (request.headers['if-none-match'] === etag) return reply.code(304).send()
      const range = parseRange(request.headers.range, bytes)
      if (range === 'unsatisfiable') {
        reply.header('content-range', `bytes */${bytes}`)
        throw new ProblemError(416, 'Range not satisfiable', `The file has ${bytes} bytes.`)
      }
      reply.type(mediaType)
      if (!range) return reply.header('content-length', bytes).send(file.open())
      reply.code(206).headers({
        'content-range': `bytes ${range.start}-${range.end}/${bytes}`,
        'content-length': range.end - range.start + 1,
      })
      return reply.send(file.open(range))
    },
  )
}
