import { type Static, Type } from '@sinclair/typebox'
import { cameraConditions } from '../contracts/camera-health.js'
import { EventKind } from '../contracts/event.js'
import { Evidence } from '../contracts/evidence.js'
import { Box, Id, LonLat, Severity, Sha256, UtcTime } from '../contracts/primitives.js'
import { boxLabelPattern } from './box-labels.js'
import { verdictValues } from './verdict-values.js'

export const incidentStates = [
  'new',
  'acknowledged',
  'assigned',
  'inProgress',
  'resolved',
  'closed',
  'falsePositive',
  'duplicate',
  'shelved',
  'reopened',
] as const
export const IncidentState = Type.Union(incidentStates.map(state => Type.Literal(state)))

/** People are done with these; only a worse event or a person brings one back. */
export const settledStates: readonly IncidentState[] = ['resolved', 'closed', 'falsePositive', 'duplicate', 'shelved']

export { verdictValues }
const nullable = <T extends import('@sinclair/typebox').TSchema>(schema: T) => Type.Union([schema, Type.Null()])
const Bilingual = Type.Object({ vi: Type.String(), en: Type.String() })

/** What a reviewer drew around one thing: its name, and where it is in the picture. */
export const LabelledBox = Type.Object({
  label: Type.String({ pattern: boxLabelPattern, description: 'E.g. smoke, flame, water, car, motorcycle.' }),
  box: Box,
})

/** A reviewer's judgement of one event. */
export const Verdict = Type.Object(
  {
    eventId: Type.String(),
    value: Type.Union(verdictValues.map(value => Type.Literal(value))),
    by: Type.String(),
    at: UtcTime,
    note: nullable(Type.String()),
    boxes: Type.Array(LabelledBox, {
      description: 'As corrected; empty when nothing is there, or nothing was corrected.',
    }),
    pictureSha256: nullable(
      Type.String({ description: 'The picture they were drawn on; null: not corrected, the event’s own box stands.' }),
    ),
  },
  { $id: 'Verdict' },
)

/** One event of an incident, as stored. */
export const IncidentEvent = Type.Object(
  {
    eventId: Type.String({ description: 'Envelope id.' }),
    incidentId: nullable(Type.String({ description: 'Null: recorded, but no incident is made of it (data loss).' })),
    happeningId: Type.String(),
    kind: EventKind,
    phase: Type.String(),
    severity: Severity,
    confidence: Type.Number(),
    siteId: Id,
    agentId: Id,
    cameraId: Id,
    analytic: Id,
    phenomenonTime: UtcTime,
    receivedAt: UtcTime,
    level: nullable(Type.String()),
    zone: nullable(Type.String()),
    measure: nullable(Type.Object({ property: Type.String(), value: Type.Number(), unit: Type.String() })),
    box: nullable(Box),
    label: nullable(Type.String()),
    bearingDeg: nullable(Type.Number({ description: 'Direction from the camera, clockwise from north.' })),
    model: nullable(Type.Object({ id: Type.String(), version: Type.String(), sha256: Type.String() })),
    evidence: Type.Array(
      Type.Composite([Evidence, Type.Object({ stored: Type.Boolean({ description: 'The bytes have arrived.' }) })]),
    ),
    verdict: nullable(Verdict),
  },
  { $id: 'IncidentEvent' },
)

export const TimelineEntry = Type.Object(
  {
    at: UtcTime,
    by: Type.String({ description: 'User name, or "system".' }),
    action: Type.Union(
      ['opened', 'event', 'severity', 'state', 'assigned', 'note', 'verdict', 'proposed', 'merged'].map(a =>
        Type.Literal(a),
      ),
    ),
    from: nullable(Type.String()),
    to: nullable(Type.String()),
    note: nullable(Type.String()),
    eventId: nullable(Type.String()),
    hash: Sha256,
  },
  { $id: 'TimelineEntry' },
)

export const IncidentSummary = Type.Object(
  {
    id: Type.String(),
    /** Counts up per city, for people to say aloud. */
    number: Type.Integer(),
    kind: EventKind,
    state: IncidentState,
    severity: Severity,
    openedAt: UtcTime,
    updatedAt: UtcTime,
    endedAt: nullable(UtcTime),
    siteId: Id,
    cameraId: Id,
    cameraName: Bilingual,
    location: nullable(LonLat),
    wardId: nullable(Id),
    hotspotId: nullable(Id),
    level: nullable(Type.String()),
    measure: nullable(Type.Object({ property: Type.String(), value: Type.Number(), unit: Type.String() })),
    eventCount: Type.Integer(),
    /** Picture for lists: the newest evidence picture that has arrived. */
    thumbnailSha256: nullable(Sha256),
    assignee: nullable(Type.String()),
    resolutionProposed: Type.Boolean(),
    version: Type.Integer({ description: 'For If-Match.' }),
  },
  { $id: 'IncidentSummary' },
)

export const Incident = Type.Composite(
  [
    IncidentSummary,
    Type.Object({
      duplicateOf: nullable(
        Type.String({ description: 'The incident this one was merged into; it holds the events.' }),
      ),
      events: Type.Array(IncidentEvent),
      timeline: Type.Array(TimelineEntry),
      allowedStates: Type.Array(IncidentState, { description: 'States this user may set next.' }),
    }),
  ],
  { $id: 'Incident' },
)

export const IncidentPage = Type.Object({ items: Type.Array(IncidentSummary), nextCursor: nullable(Type.String()) })
export const EventPage = Type.Object({ items: Type.Array(IncidentEvent), nextCursor: nullable(Type.String()) })

/** Body of `POST /api/v1/incidents/{id}/transitions`. */
export const Transition = Type.Object({
  to: IncidentState,
  note: Type.Optional(Type.String({ maxLength: 2000 })),
  assignee: Type.Optional(Type.String({ maxLength: 120 })),
})
/** Body of `POST /api/v1/events/{eventId}/verdict`. */
export const VerdictBody = Type.Object({
  value: Type.Union(verdictValues.map(value => Type.Literal(value))),
  note: Type.Optional(Type.String({ maxLength: 2000 })),
  boxes: Type.Optional(
    Type.Array(LabelledBox, {
      maxItems: 100,
      description:
        'Everything of this kind in the picture; [] when there is nothing. Without it what was last drawn with the same value holds.',
    }),
  ),
  picture: Type.Optional(
    Type.String({
      pattern: '^[0-9a-f]{64}$',
      description: 'SHA-256 of the event’s picture the boxes were drawn on; without it the one of the moment.',
    }),
  ),
})
export const NoteBody = Type.Object({ note: Type.String({ minLength: 1, maxLength: 2000 }) })

export const CameraView = Type.Object(
  {
    id: Id,
    siteId: Id,
    agentId: nullable(Id),
    name: Bilingual,
    location: LonLat,
    wardId: nullable(Id),
    hotspotId: nullable(Id),
    condition: Type.Union(['ok', 'starting', 'unknown', ...cameraConditions].map(c => Type.Literal(c))),
    conditionHint: nullable(Type.String()),
    fps: nullable(Type.Number()),
    lastFrameAt: nullable(UtcTime),
    snapshot: nullable(Type.Object({ sha256: Sha256, takenAt: UtcTime })),
    analytics: Type.Array(Type.Object({ id: Id, kind: Type.String(), model: nullable(Type.String()) })),
  },
  { $id: 'CameraView' },
)

export const Ledger = Type.Object(
  {
    agentId: Id,
    siteId: Id,
    epochs: Type.Array(
      Type.Object({
        epoch: Type.Integer(),
        /** Everything up to here is committed or declared lost. */
        ackedSeq: Type.Integer(),
        highestSeq: Type.Integer(),
        received: Type.Integer({ description: 'Distinct messages committed.' }),
        duplicates: Type.Integer(),
        refused: Type.Integer({ description: 'Messages in central’s dead letters.' }),
        ranges: Type.Array(Type.Object({ from: Type.Integer(), to: Type.Integer() })),
        firstGap: nullable(Type.Object({ from: Type.Integer(), to: Type.Integer() })),
        lost: Type.Array(Type.Object({ from: Type.Integer(), to: Type.Integer(), reason: Type.String() })),
        byType: Type.Record(Type.String(), Type.Integer()),
      }),
    ),
  },
  { $id: 'Ledger' },
)

export const AgentView = Type.Object(
  {
    id: Id,
    siteId: Id,
    known: Type.Boolean({ description: 'Named in the city file.' }),
    status: Type.Union([Type.Literal('online'), Type.Literal('offline'), Type.Literal('never-seen')]),
    epoch: nullable(Type.Integer()),
    software: nullable(Type.String()),
    lastSeenAt: nullable(UtcTime),
    outboxSize: nullable(Type.Integer()),
    oldestAgeMs: nullable(Type.Number()),
    eventLoopLagMs: nullable(Type.Number()),
    deadLetters: nullable(Type.Integer()),
    configErrors: Type.Array(
      Type.Object({ path: Type.String(), message: Type.String(), hint: Type.Optional(Type.String()) }),
    ),
    models: Type.Array(Type.Object({ id: Id, version: Type.String(), sha256: Sha256 })),
  },
  { $id: 'AgentView' },
)

export const SeriesView = Type.Object(
  {
    cameraId: Id,
    property: Type.String(),
    unit: Type.String(),
    windowMs: nullable(Type.Integer()),
    values: Type.Array(
      Type.Object({
        at: UtcTime,
        value: nullable(Type.Number()),
        min: nullable(Type.Number()),
        max: nullable(Type.Number()),
        quality: Type.String(),
      }),
    ),
  },
  { $id: 'SeriesView' },
)

export const roles = ['viewer', 'reviewer', 'wardOfficer', 'engineer', 'admin'] as const
export const Me = Type.Object({
  name: Type.String(),
  role: Type.Union(roles.map(r => Type.Literal(r))),
  wardId: nullable(Id),
})
export const SignIn = Type.Object({ name: Type.String({ maxLength: 120 }), password: Type.String({ maxLength: 500 }) })

/** Everything the console needs once: names, places, the plain map. */
export const CityView = Type.Object(
  {
    name: Bilingual,
    centre: LonLat,
    zoom: Type.Number(),
    styleUrl: nullable(Type.String()),
    wards: Type.Array(Type.Object({ id: Id, name: Bilingual, polygon: Type.Array(LonLat) })),
    water: Type.Array(Type.Object({ name: Bilingual, line: Type.Array(LonLat), widthM: Type.Number() })),
    roads: Type.Array(Type.Object({ name: Bilingual, line: Type.Array(LonLat) })),
    hotspots: Type.Array(
      Type.Object({
        id: Id,
        name: Bilingual,
        location: LonLat,
        cameraId: Id,
        levels: Type.Array(Type.Object({ name: Bilingual, cm: Type.Number(), severity: Severity })),
      }),
    ),
  },
  { $id: 'CityView' },
)

/** `GET /api/v1/stream` (SSE) sends these under the event names `incident`, `camera`, `agent`. */
export const streamEvents = ['incident', 'camera', 'agent'] as const

export type IncidentState = (typeof incidentStates)[number]
export type LabelledBox = Static<typeof LabelledBox>
export type Verdict = Static<typeof Verdict>
export type VerdictBody = Static<typeof VerdictBody>
export type VerdictValue = (typeof verdictValues)[number]
export type IncidentEvent = Static<typeof IncidentEvent>
export type TimelineEntry = Static<typeof TimelineEntry>
export type IncidentSummary = Static<typeof IncidentSummary>
export type Incident = Static<typeof Incident>
export type IncidentPage = Static<typeof IncidentPage>
export type EventPage = Static<typeof EventPage>
export type Transition = Static<typeof Transition>
export type CameraView = Static<typeof CameraView>
export type Ledger = Static<typeof Ledger>
export type AgentView = Static<typeof AgentView>
export type SeriesView = Static<typeof SeriesView>
export type Role = (typeof roles)[number]
export type Me = Static<typeof Me>
export type SignIn = Static<typeof SignIn>
export type CityView = Static<typeof CityView>
