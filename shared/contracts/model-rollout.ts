import { type Static, Type } from '@sinclair/typebox'
import { Id, Sha256, UtcTime } from './primitives.js'

/**
 * Words for changing a model on running agents. `id` is the model's id in the agent's configuration (`models[].id`), the place
 * that analytics name; which package stands there may change. `digest` is the SHA-256 of the packed package (its address at
 * central), `sha256` in an identity is that of the weights, as in events.
 */
const object = <T extends Record<string, import('@sinclair/typebox').TSchema>>(properties: T) =>
  Type.Object(properties, { additionalProperties: false })
const Text = Type.String({ maxLength: 1000 })
const Cameras = Type.Array(Id, { minItems: 1, maxItems: 256 })

const CpuShare = Type.Number({
  minimum: 0.01,
  maximum: 1,
  description: 'Share of one core the candidate may use while it runs in shadow; default 0.25.',
})

/** When a promoted model is taken back by itself. */
const Guard = object({
  probationSeconds: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 604_800,
      description: 'How long it is watched after it took over; default 600.',
    }),
  ),
  failures: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 1000,
      description: 'So many frames it could not judge are too many; default 3.',
    }),
  ),
  latencyFactor: Type.Optional(
    Type.Number({
      minimum: 1,
      maximum: 100,
      description: 'Its p95 latency may be so many times that of the model before it; default 2.',
    }),
  ),
})

const options = {
  cameras: Type.Optional(Cameras),
  cpuShare: Type.Optional(CpuShare),
  guard: Type.Optional(Guard),
}

export const modelModes = ['shadow', 'active', 'configured'] as const

/** What central wants of one model of an agent. */
export const ModelWish = object({
  id: Id,
  mode: Type.Union(
    modelModes.map(mode => Type.Literal(mode)),
    {
      description:
        'shadow: runs beside the active one; active: takes over; configured: the package of the agent’s own configuration.',
    },
  ),
  digest: Type.Optional(Sha256),
  at: Type.Optional(
    Type.String({
      ...UtcTime,
      description: 'When it was wished. The same wish with the same time is acted upon only once.',
    }),
  ),
  ...options,
})

export const modelActions = ['shadow', 'stop-shadow', 'promote', 'rollback'] as const

/** `command/model`. */
export const ModelCommand = object({
  action: Type.Union(modelActions.map(action => Type.Literal(action))),
  id: Id,
  digest: Type.Optional(Sha256),
  ...options,
})

const NullableDigest = Type.Union([Sha256, Type.Null()], {
  description: 'Null: the package of the agent’s own configuration.',
})

export const candidatePhases = ['downloading', 'opening', 'shadowing', 'promoting', 'failed'] as const
export const modelHappenings = ['shadowing', 'stopped', 'refused', 'promoted', 'confirmed', 'rolled-back'] as const

/** What stands beside the identity of a model in `Reported`, all optional: agents without it report the identity alone. */
export const modelStanding = {
  slot: Type.Optional(Type.String({ ...Id, description: 'Its id in the configuration: the one analytics name.' })),
  digest: Type.Optional(NullableDigest),
  previous: Type.Optional(
    Type.Union([object({ digest: NullableDigest }), Type.Null()], {
      description: 'Kept on disk; rollback puts it back. Null: there is none.',
    }),
  ),
  probationUntil: Type.Optional(Type.Union([UtcTime, Type.Null()])),
  candidate: Type.Optional(
    Type.Union([
      object({
        digest: Sha256,
        version: Type.Optional(Type.String({ maxLength: 40 })),
        phase: Type.Union(candidatePhases.map(phase => Type.Literal(phase))),
        cameras: Type.Union([Cameras, Type.Null()], { description: 'Null: all cameras of the model.' }),
        cpuShare: CpuShare,
        receivedBytes: Type.Optional(Type.Integer({ minimum: 0 })),
        problem: Type.Optional(Text),
      }),
      Type.Null(),
    ]),
  ),
  last: Type.Optional(
    Type.Union(
      [
        object({
          at: UtcTime,
          what: Type.Union(modelHappenings.map(what => Type.Literal(what))),
          digest: NullableDigest,
          reason: Text,
        }),
        Type.Null(),
      ],
      { description: 'What happened last to this model, and why.' },
    ),
  ),
}

export type ModelWish = Static<typeof ModelWish>
export type ModelCommand = Static<typeof ModelCommand>
export type ModelMode = (typeof modelModes)[number]
export type ModelAction = (typeof modelActions)[number]
export type ModelHappening = (typeof modelHappenings)[number]
export type CandidatePhase = (typeof candidatePhases)[number]
export type Guard = Static<typeof Guard>

/** Where a wish, a command and the agent say nothing else. */
export const rolloutDefaults = { cpuShare: 0.25, probationSeconds: 600, failures: 3, latencyFactor: 2 } as const
