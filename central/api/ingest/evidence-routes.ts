import { createHash, timingSafeEqual } from 'node:crypto'
import { type FastifyPluginAsyncTypebox, Type } from '@fastify/type-provider-typebox'
import { EvidenceRole } from '@watchpost/shared/contracts/evidence'
import { Id, Sha256, UtcTime } from '@watchpost/shared/contracts/primitives'
import type { FastifyRequest } from 'fastify'
import type { EvidenceStore, Receipt } from '../../evidence/evidence-store.js'
import type { Registry } from '../../registry/registry.js'
import { hashMismatch, ProblemError } from '../problem.js'

interface UploadOptions {
  readonly evidence: EvidenceStore
  readonly registry: Pick<Registry, 'camera' | 'siteOfAgent'>
  /** Token by agent; undefined: only loopback may upload. */
  readonly tokens?: ReadonlyMap<string, string>
}

const Headers = Type.Object({
  'x-watchpost-agent': Id,
  'x-watchpost-camera': Type.Optional(Id),
  'x-watchpost-role': Type.Optional(EvidenceRole),
  'x-watchpost-taken-at': Type.Optional(UtcTime),
})
const Stored = Type.Object({ sha256: Sha256, bytes: Type.Integer(), mediaType: Type.String() })

/** `PUT /ingest/v1/evidence/{sha256}`: how pictures and clips of agents arrive. */
export const evidenceUpload: FastifyPluginAsyncTypebox<UploadOptions> = async (app, { evidence, registry, tokens }) => {
  // The body is streamed to disk as it comes, whatever it calls itself.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, payload, done) => done(null, payload))

  app.put(
    '/evidence/:sha256',
    {
      schema: {
        tags: ['agents'],
        summary: 'Store a picture or clip',
        headers: Headers,
        params: Type.Object({ sha256: Sha256 }),
        response: { 200: Stored, 201: Stored },
      },
      preParsing: async request => {
        authorise(request, tokens)
        refuseForeignCamera(request, registry)
      },
    },
    async (request, reply) => {
      const { sha256 } = request.params
      const headers = request.headers
      const takenAt = headers['x-watchpost-taken-at']
      const receipt = await evidence.receive(sha256, request.raw, {
        agentId: headers['x-watchpost-agent'],
        cameraId: headers['x-watchpost-camera'] ?? null,
        role: headers['x-watchpost-role'] ?? null,
        takenAt: takenAt === undefined ? null : Date.parse(takenAt),
      })
      if (!receipt.ok || !receipt.created) {
        // The rest of the body is of no use; the connection ends with the answer instead of reading it.
        reply.header('connection', 'close')
        request.raw.resume()
      }
      if (!receipt.ok) throw refusal(sha256, receipt)
      const { bytes, mediaType } = receipt.evidence
      reply.code(receipt.created ? 201 : 200)
      return { sha256, bytes, mediaType }
    },
  )
}

/** The agent and its token. @throws ProblemError 401 */
export const authorise = (request: FastifyRequest, tokens: ReadonlyMap<string, string> | undefined): void => {
  const agentId = String(request.headers['x-watchpost-agent'] ?? '')
  if (tokens === undefined) {
    if (isLoopback(request)) return
    throw new ProblemError(
      401,
      'Uploads are open to this machine only',
      'Central has no evidence.tokensFile. Set it, and give each agent its token.',
    )
  }
  const expected = tokens.get(agentId)
  const given = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1]
  if (expected !== undefined && given !== undefined && isSame(expected, given)) return
  throw new ProblemError(
    401,
    'Unknown agent or wrong token',
    `Agent "${agentId.slice(0, 64)}" and its token must be a line of central's evidence.tokensFile.`,
  )
}

/**
 * An agent speaks for the cameras of its site. A camera that no site names belongs to nobody yet: its evidence is taken, as its
 * events are. Agents keep a picture that is refused with 403 and send it again, so a correction of the city file is enough.
 * @throws ProblemError 403
 */
const refuseForeignCamera = (request: FastifyRequest, registry: UploadOptions['registry']): void => {
  const agentId = String(request.headers['x-watchpost-agent'] ?? '')
  const cameraId = String(request.headers['x-watchpost-camera'] ?? '')
  const owner = registry.camera(cameraId)?.site.id
  if (owner === undefined || owner === registry.siteOfAgent().get(agentId)) return
  throw new ProblemError(
    403,
    'Not a camera of this agent’s site',
    `The city file names camera "${cameraId}" at site "${owner}", where agent "${agentId.slice(0, 64)}" is not. Correct the city file and reload it, or the agent's configuration.`,
  )
}

/** The socket's own address: a forwarded one can be made up. */
const isLoopback = ({ raw }: FastifyRequest): boolean =>
  ['127.0.0.1', '::1', '::ffff:127.0.0.1'].includes(raw.socket.remoteAddress ?? '') &&
  raw.headers['x-forwarded-for'] === undefined

const isSame = (a: string, b: string): boolean => {
  const [left, right] = [a, b].map(text => createHash('sha256').update(text).digest())
  return timingSafeEqual(left!, right!)
}

const refusal = (sha256: string, receipt: Extract<Receipt, { ok: false }>): ProblemError => {
  switch (receipt.reason) {
    case 'mismatch':
      return hashMismatch(sha256, receipt.actualSha256)
    case 'too-large':
      return new ProblemError(413, 'Too large', 'Larger than evidence.maxBytes of central. Nothing was stored.')
    case 'unsupported':
      return new ProblemError(415, 'Neither JPEG nor MP4', 'Judged by the first bytes. Nothing was stored.')
    case 'no-space':
      return new ProblemError(
        507,
        'Central’s disk is full',
        'Nothing was stored; keep the file and send it again. Free space under dataDir, or shorten evidence.retentionDays.',
      )
    case 'interrupted':
      return new ProblemError(400, 'The upload broke off', 'Nothing was stored; send the file again.')
  }
}
