import { type Static, Type } from '@sinclair/typebox'
import { EventKind } from '../contracts/event.js'
import { ModelCommand } from '../contracts/model-rollout.js'
import { Id, Severity, UtcTime } from '../contracts/primitives.js'
import { commandNames } from '../contracts/twin.js'
import { IncidentState } from './incidents.js'

/** Query strings and bodies of the operators' API. Lists are repeated keys or one value with commas. */
const strict = { additionalProperties: false } as const
const PageQuery = {
  limit: Type.Integer({ minimum: 1, maximum: 200, default: 50 }),
  cursor: Type.Optional(Type.String({ maxLength: 300, description: '`nextCursor` of the page before.' })),
}

export const IncidentQuery = Type.Object(
  {
    ...PageQuery,
    state: Type.Optional(Type.Array(IncidentState)),
    open: Type.Optional(
      Type.Boolean({ description: 'True: only incidents that still need work; false: only settled.' }),
    ),
    kind: Type.Optional(Type.Array(EventKind)),
    severity: Type.Optional(Type.Array(Severity)),
    camera: Type.Optional(Id),
    ward: Type.Optional(Id),
    hotspot: Type.Optional(Id),
    since: Type.Optional(UtcTime),
    until: Type.Optional(UtcTime),
  },
  strict,
)

export const EventQuery = Type.Object(
  {
    ...PageQuery,
    kind: Type.Optional(Type.Array(EventKind)),
    camera: Type.Optional(Id),
    incident: Type.Optional(Type.String({ maxLength: 64 })),
    since: Type.Optional(UtcTime),
    until: Type.Optional(UtcTime),
  },
  strict,
)

export const SeriesRequest = Type.Object(
  {
    camera: Id,
    property: Type.String({ maxLength: 64, description: 'E.g. floodLevel.' }),
    analytic: Type.Optional(Id),
    from: Type.Optional(UtcTime),
    to: Type.Optional(UtcTime),
    windowMs: Type.Optional(
      Type.Integer({
        minimum: 1000,
        maximum: 86_400_000,
        description: 'Averages over windows; without it: as stored.',
      }),
    ),
    limit: Type.Integer({ minimum: 1, maximum: 20_000, default: 5000 }),
  },
  strict,
)

/** Body of `POST /api/v1/agents/{id}/commands`. */
export const CommandBody = Type.Object(
  {
    name: Type.Union(commandNames.map(name => Type.Literal(name))),
    cameraId: Type.Optional(Id),
    model: Type.Optional(ModelCommand),
  },
  strict,
)

export type IncidentQuery = Static<typeof IncidentQuery>
export type EventQuery = Static<typeof EventQuery>
export type SeriesRequest = Static<typeof SeriesRequest>
export type CommandBody = Static<typeof CommandBody>
