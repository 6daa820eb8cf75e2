import { type Static, Type } from '@sinclair/typebox'
import { ModelWish, modelModes, modelStanding } from '../contracts/model-rollout.js'
import { Id, Sha256, UtcTime } from '../contracts/primitives.js'
import { ShadowReport } from '../contracts/shadow-report.js'

const strict = { additionalProperties: false } as const
const nullable = <T extends import('@sinclair/typebox').TSchema>(schema: T) => Type.Union([schema, Type.Null()])

/** A model package at central, by the SHA-256 of its archive. */
export const PackageView = Type.Object(
  {
    sha256: Sha256,
    bytes: Type.Integer(),
    id: Id,
    version: Type.String(),
    task: Type.String(),
    runtime: Type.String(),
    decoder: Type.String(),
    labels: Type.Array(Type.String()),
    licence: Type.String(),
    weightsSha256: Sha256,
    signedBy: nullable(Type.String()),
    uploadedBy: Type.String(),
    uploadedAt: UtcTime,
  },
  { $id: 'PackageView' },
)

/** One model of one agent: what runs, what is tried, what central wants. */
export const AgentModelView = Type.Object(
  {
    agentId: Id,
    siteId: Id,
    status: Type.String({ description: 'online, offline or never-seen.' }),
    modelId: Id,
    version: Type.String(),
    weightsSha256: Sha256,
    cameras: Type.Array(Type.Object({ cameraId: Id, name: Type.String() }), {
      description: 'The cameras that run this digest.',
    }),
    ...modelStanding,
    wish: nullable(ModelWish),
    problems: Type.Array(Type.String(), { description: 'What the agent says about central’s wish.' }),
  },
  { $id: 'AgentModelView' },
)

export const ModelView = Type.Object(
  {
    id: Id,
    agents: Type.Array(AgentModelView),
    packages: Type.Array(PackageView, { description: 'Those that may stand in its place.' }),
  },
  { $id: 'ModelView' },
)

export const ShadowView = Type.Object(
  {
    id: Id,
    items: Type.Array(Type.Object({ agentId: Id, receivedAt: UtcTime, report: ShadowReport })),
  },
  { $id: 'ShadowView' },
)

export const rolloutModes = [...modelModes, 'rollback', 'stop'] as const

/** Body of `POST /api/v1/models/{id}/rollout`. */
export const RolloutBody = Type.Object(
  {
    mode: Type.Union(
      rolloutModes.map(mode => Type.Literal(mode)),
      {
        description:
          'rollback: to what ran before; stop: drop the candidate, whatever it is at; configured: the package of the agent’s own configuration.',
      },
    ),
    digest: Type.Optional(Sha256),
    agents: Type.Optional(
      Type.Array(Id, { minItems: 1, maxItems: 500, description: 'Default: all that run the model.' }),
    ),
    cameras: ModelWish.properties.cameras,
    cpuShare: ModelWish.properties.cpuShare,
    guard: ModelWish.properties.guard,
  },
  strict,
)

export const RolloutView = Type.Object(
  {
    accepted: Type.Array(
      Type.Object({ agentId: Id, version: Type.Integer({ description: 'Of its desired settings.' }) }),
    ),
    refused: Type.Array(Type.Object({ agentId: Id, reason: Type.String() })),
  },
  { $id: 'RolloutView' },
)

/** Body of `PUT /api/v1/agents/{id}/desired`; what is not named stays. */
export const DesiredBody = Type.Object(
  {
    config: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
    models: Type.Optional(Type.Array(ModelWish, { maxItems: 32 })),
  },
  strict,
)

export const ModelAuditEntry = Type.Object(
  {
    at: UtcTime,
    by: Type.String({ description: 'A user, or "agent ID" for what an agent did by itself.' }),
    action: Type.String(),
    agentId: nullable(Id),
    model: nullable(Id),
    digest: nullable(Sha256),
    detail: Type.String(),
  },
  { $id: 'ModelAuditEntry' },
)

export type PackageView = Static<typeof PackageView>
export type AgentModelView = Static<typeof AgentModelView>
export type ModelView = Static<typeof ModelView>
export type ShadowView = Static<typeof ShadowView>
export type RolloutBody = Static<typeof RolloutBody>
export type RolloutView = Static<typeof RolloutView>
export type DesiredBody = Static<typeof DesiredBody>
export type ModelAuditEntry = Static<typeof ModelAuditEntry>
