import { type FastifyPluginAsyncTypebox, Type } from '@fastify/type-provider-typebox'
import {
  DesiredBody,
  ModelAuditEntry,
  ModelView,
  PackageView,
  RolloutBody,
  RolloutView,
  ShadowView,
} from '@watchpost/shared/api/models'
import { Id, Sha256 } from '@watchpost/shared/contracts/primitives'
import { Desired } from '@watchpost/shared/contracts/twin'
import type { Models } from '../../models/models.js'
import type { PackageReceipt } from '../../models/package-store.js'
import { engineers, meOf } from '../plugins/sign-in.js'
import { hashMismatch, notFound, ProblemError } from '../problem.js'

interface ModelOptions {
  readonly models: Models
}
const tags = ['models']
const params = Type.Object({ id: Id })
const ofPackage = Type.Object({ sha256: Sha256 })

/** Packages, what runs where, shadow reports, and changing it. */
export const modelRoutes: FastifyPluginAsyncTypebox<ModelOptions> = async (app, { models }) => {
  app.get(
    '/models',
    {
      schema: {
        tags,
        summary: 'Every model, the cameras that run it and how far its rollout is',
        response: { 200: Type.Object({ items: Type.Array(ModelView) }) },
      },
    },
    async () => ({ items: [...models.list()] }),
  )
  app.get(
    '/models/:id/shadow',
    {
      schema: { tags, summary: 'How candidates compare with the active model', params, response: { 200: ShadowView } },
    },
    async request => models.shadow(request.params.id),
  )
  app.post(
    '/models/:id/rollout',
    {
      config: { roles: engineers },
      schema: {
        tags,
        summary: 'Shadow, promote, roll back, or stop; an agent that is away gets it when it is back',
        params,
        body: RolloutBody,
        response: { 200: RolloutView },
      },
    },
    async request => {
      const { id } = request.params
      const outcome = await models.rollOut(id, request.body, meOf(request).name)
      const [first] = outcome.refused
      if (outcome.accepted.length > 0) return outcome
      if (!first) throw notFound('model', id)
      const errors = outcome.refused.map(({ agentId, reason }) => ({ path: `/agents/${agentId}`, message: reason }))
      throw new ProblemError(422, 'Not possible now', first.reason, errors)
    },
  )
  app.get(
    '/models/audit',
    {
      config: { roles: engineers },
      schema: {
        tags,
        summary: 'Who changed which model, and what agents did by themselves',
        querystring: Type.Object({ limit: Type.Integer({ minimum: 1, maximum: 1000, default: 100 }) }),
        response: { 200: Type.Object({ items: Type.Array(ModelAuditEntry) }) },
      },
    },
    async request => ({ items: [...models.audit(request.query.limit)] }),
  )

  app.get(
    '/agents/:id/desired',
    {
      schema: { tags: ['agents'], summary: 'What central wants the agent to run', params, response: { 200: Desired } },
    },
    async request => {
      const desired = models.desired(request.params.id)
      if (!desired) throw notFound('desired setting of agent', request.params.id)
      return desired
    },
  )
  app.put(
    '/agents/:id/desired',
    {
      config: { roles: engineers },
      schema: {
        tags: ['agents'],
        summary: 'Set what the agent is to run; keys that are not named stay',
        params,
        body: DesiredBody,
        response: { 200: Desired },
      },
    },
    async request => {
      const { id } = request.params
      const expected = /^\s*(?:W\/)?"?(\d+)"?\s*$/.exec(request.headers['if-match'] ?? '')?.[1]
      const version = models.desired(id)?.version ?? 0
      if (expected !== undefined && Number(expected) !== version)
        throw new ProblemError(
          412,
          'The settings have changed meanwhile',
          `They are version ${version} now; read them again.`,
        )
      return models.setDesired(id, request.body, meOf(request).name).catch((error: Error) => {
        throw error.name === 'UnknownAgentError' ? notFound('agent', id) : error
      })
    },
  )

  app.get(
    '/models/packages',
    {
      schema: {
        tags,
        summary: 'Packages, newest first',
        response: { 200: Type.Object({ items: Type.Array(PackageView) }) },
      },
    },
    async () => ({ items: [...models.packages.list()] }),
  )
  app.get(
    '/models/packages/:sha256',
    {
      schema: {
        tags,
        summary: 'One package; 404 with Upload-Offset while it is not whole',
        params: ofPackage,
        response: { 200: PackageView },
      },
    },
    async (request, reply) => {
      const { sha256 } = request.params
      const found = models.packages.find(sha256)
      if (found) return found
      reply.header('upload-offset', await models.packages.receivedOf(sha256))
      throw new ProblemError(404, 'No such package', 'It was never uploaded, or is not whole yet: see Upload-Offset.')
    },
  )
  await app.register(packageUpload, { models })
}

/** A scope of its own: the archive is streamed to disk as it comes, whatever it calls itself. */
const packageUpload: FastifyPluginAsyncTypebox<ModelOptions> = async (app, { models }) => {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, payload, done) => done(null, payload))
  app.put(
    '/models/packages/:sha256',
    {
      config: { roles: engineers },
      schema: {
        tags,
        summary: 'Upload a package (.wpm); Content-Range continues an upload that broke off',
        params: ofPackage,
        headers: Type.Object({ 'content-range': Type.Optional(Type.String({ pattern: '^bytes \\d+-\\d+/\\d+$' })) }),
        response: { 200: PackageView, 201: PackageView, 202: Type.Object({ received: Type.Integer() }) },
      },
    },
    async (request, reply) => {
      const { sha256 } = request.params
      const { name } = meOf(request)
      const [, from, total] = /^bytes (\d+)-\d+\/(\d+)$/.exec(request.headers['content-range'] ?? '') ?? []
      const part = { from: Number(from ?? 0), total: total === undefined ? null : Number(total) }
      const receipt = await models.packages.receive(sha256, request.raw, part, name)
      if (!receipt.ok || !receipt.created) {
        // The rest of the body is of no use; the connection ends with the answer instead of reading it.
        reply.header('connection', 'close')
        request.raw.resume()
      }
      if (!receipt.ok) {
        if ('received' in receipt) reply.header('upload-offset', receipt.received)
        throw refusal(sha256, receipt)
      }
      if (receipt.package === null) {
        reply.header('upload-offset', receipt.received)
        return reply.code(202).send({ received: receipt.received })
      }
      const { id, version, bytes } = receipt.package
      if (receipt.created) models.noteUpload(sha256, name, `${id} ${version}, ${bytes} bytes`)
      return reply.code(receipt.created ? 201 : 200).send(receipt.package)
    },
  )
}

const refusal = (sha256: string, receipt: Extract<PackageReceipt, { ok: false }>): ProblemError => {
  switch (receipt.reason) {
    case 'mismatch':
      return hashMismatch(sha256, receipt.actualSha256)
    case 'invalid':
      return new ProblemError(422, 'Not a model package', `${receipt.problem} Nothing was stored.`)
    case 'offset':
      return new ProblemError(
        409,
        'The upload goes on elsewhere',
        `${receipt.received} bytes are here; go on from there.`,
      )
    case 'interrupted':
      return new ProblemError(400, 'The upload broke off', `${receipt.received} bytes are kept; go on from there.`)
    case 'silent':
      return new ProblemError(
        408,
        'The upload fell silent',
        `No byte came for ${receipt.silenceMs / 1000} s; ${receipt.received} bytes are kept; go on from there.`,
      )
    case 'busy':
      return new ProblemError(409, 'This package is being uploaded', 'Wait for the other upload to end.')
    case 'too-large':
      return new ProblemError(
        413,
        'Too large',
        'Larger than models.maxBytes of central, or than it said. Nothing was stored.',
      )
    case 'no-space':
      return new ProblemError(507, 'Central’s disk is full', 'Free space under dataDir, then send the file again.')
  }
}
