import { type Static, Type } from '@sinclair/typebox'
import { ModelCommand, ModelWish, modelStanding } from './model-rollout.js'
import { Id, Problem, Sha256, UtcTime, Uuid } from './primitives.js'

/** What central wants an agent to run: a new version of its camera settings and model packages. */
export const Desired = Type.Object(
  {
    version: Type.Integer({ minimum: 1 }),
    at: UtcTime,
    config: Type.Record(Type.String(), Type.Unknown(), {
      description: 'Keys of the agent configuration that replace the local ones (cameras, models).',
    }),
    models: Type.Optional(Type.Array(ModelWish, { maxItems: 32 })),
  },
  { $id: 'Desired', additionalProperties: false },
)

/** What an agent runs. A refused version leaves the last good one in force. */
export const Reported = Type.Object(
  {
    version: Type.Union([Type.Integer({ minimum: 0 }), Type.Null()]),
    at: UtcTime,
    software: Type.String({ maxLength: 40 }),
    configSha256: Sha256,
    cameras: Type.Array(
      Type.Object({
        cameraId: Id,
        name: Type.String(),
        analytics: Type.Array(Type.Object({ id: Id, kind: Type.String(), model: Type.Union([Id, Type.Null()]) })),
      }),
    ),
    models: Type.Array(Type.Object({ id: Id, version: Type.String(), sha256: Sha256, ...modelStanding })),
    errors: Type.Array(
      Type.Object({ path: Type.String(), message: Type.String(), hint: Type.Optional(Type.String()) }),
    ),
  },
  { $id: 'Reported', additionalProperties: false },
)

export const commandNames = ['snapshot', 'calibration-frame', 'reload', 'drain', 'model'] as const

export const Command = Type.Object(
  {
    commandId: Uuid,
    at: UtcTime,
    cameraId: Type.Optional(Id),
    model: Type.Optional(ModelCommand),
  },
  { $id: 'Command', additionalProperties: false },
)

export const CommandReply = Type.Object(
  {
    commandId: Uuid,
    at: UtcTime,
    ok: Type.Boolean(),
    result: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
    problem: Type.Optional(Problem),
  },
  { $id: 'CommandReply', additionalProperties: false },
)

export type Desired = Static<typeof Desired>
export type Reported = Static<typeof Reported>
export type Command = Static<typeof Command>
export type CommandReply = Static<typeof CommandReply>
export type CommandName = (typeof commandNames)[number]

export const desiredExample: Desired = { version: 3, at: '2026-10-27T03:04:05.678Z', config: { cameras: [] } }
export const desiredModelExample: Desired = {
  version: 4,
  at: '2026-10-27T03:04:05.678Z',
  config: {},
  models: [
    {
      id: 'water-segmentation',
      mode: 'shadow',
      digest: 'fd61a03af4f77d870fc21e05e7e80678095c92d808cfb3b5c279ee04c74aca13',
      cameras: ['le-loi-1'],
      cpuShare: 0.2,
    },
  ],
}
export const reportedExample: Reported = {
  version: 3,
  at: '2026-10-27T03:04:06.100Z',
  software: '0.1.0',
  configSha256: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
  cameras: [
    {
      cameraId: 'le-loi-1',
      name: 'Lê Lợi 1',
      analytics: [{ id: 'flood', kind: 'flood-level', model: 'water-segmentation' }],
    },
  ],
  models: [
    {
      id: 'water-segmentation',
      version: '0.1.0',
      sha256: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
    },
  ],
  errors: [],
}
export const reportedModelExample: Reported = {
  ...reportedExample,
  models: [
    {
      ...reportedExample.models[0]!,
      slot: 'water-segmentation',
      digest: null,
      previous: null,
      probationUntil: null,
      candidate: {
        digest: 'fd61a03af4f77d870fc21e05e7e80678095c92d808cfb3b5c279ee04c74aca13',
        version: '0.2.0',
        phase: 'shadowing',
        cameras: ['le-loi-1'],
        cpuShare: 0.2,
      },
      last: {
        at: '2026-10-27T03:04:06.000Z',
        what: 'shadowing',
        digest: 'fd61a03af4f77d870fc21e05e7e80678095c92d808cfb3b5c279ee04c74aca13',
        reason: 'Central wants it',
      },
    },
  ],
}
export const commandExample: Command = {
  commandId: '019a2f3c-5b7e-7c11-9d0a-0c3f5a1b2c3d',
  at: '2026-10-27T03:04:05.678Z',
  cameraId: 'le-loi-1',
}
export const modelCommandExample: Command = {
  commandId: '019a2f3c-5b7e-7c11-9d0a-0c3f5a1b2c3e',
  at: '2026-10-27T03:04:05.678Z',
  model: {
    action: 'promote',
    id: 'water-segmentation',
    digest: 'fd61a03af4f77d870fc21e05e7e80678095c92d808cfb3b5c279ee04c74aca13',
  },
}
export const commandReplyExample: CommandReply = {
  commandId: '019a2f3c-5b7e-7c11-9d0a-0c3f5a1b2c3d',
  at: '2026-10-27T03:04:06.100Z',
  ok: true,
  result: { sha256: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08' },
}
