import { areLinked, type CorrelationRules, mergesHappenings, raisesIncidents } from './correlation.js'
import type { EngineChanges, EventFact, IncidentRecord, TimelineDraft } from './incident-record.js'
import { isSettled, isUntouched, isWorse, join, openIncident } from './record-change.js'

/** Everything stored that the events may concern; more than that does no harm. */
export interface Situation {
  readonly incidents: readonly IncidentRecord[]
  /** Envelope ids among the events that were applied before. */
  readonly knownEventIds: ReadonlySet<string>
}

/**
 * Applies events in the order given. The same events in any other order make the same incidents (members, severity,
 * place, times): links between happenings never go away, and incidents that turn out to be linked are merged.
 */
export const applyEvents = (
  facts: readonly EventFact[],
  situation: Situation,
  rules: CorrelationRules,
): EngineChanges => {
  const incidents = new Map(situation.incidents.map(record => [record.id, record]))
  const changed = new Set<string>()
  const known = new Set(situation.knownEventIds)
  const timeline: TimelineDraft[] = []
  const placements = new Map<string, string | null>()
  const merges: { from: string; into: string }[] = []

  // Which incident holds a happening: found without a search, since most events continue something known.
  const holders = new Map<string, string>()
  const remember = (record: IncidentRecord): void => {
    for (const { key } of record.happenings) holders.set(key, record.id)
  }
  situation.incidents.forEach(remember)

  const put = (record: IncidentRecord): void => {
    incidents.set(record.id, record)
    changed.add(record.id)
    remember(record)
  }

  const linked = (record: IncidentRecord): IncidentRecord[] =>
    [...incidents.values()].filter(
      other =>
        other.kind === record.kind &&
        other.happenings.some(a => record.happenings.some(b => areLinked(record.kind, a, b, rules))),
    )

  /** The incident an event belongs to; undefined: it opens one. */
  const homeOf = (fact: EventFact, opened: IncidentRecord): IncidentRecord | undefined => {
    const holder = incidents.get(holders.get(fact.happeningKey) ?? '')
    if (holder || !mergesHappenings(fact.kind)) return holder
    const near = linked(opened).sort(byStanding)
    return near.find(record => !isSettled(record)) ?? near.find(record => takesIn(record, fact))
  }

  const absorb = (into: IncidentRecord, from: IncidentRecord): IncidentRecord => {
    const after = join(into, from)
    put(emptied(from, into.id))
    put(after)
    merges.push({ from: from.id, into: into.id })
    timeline.push(...mergeEntries(into, from, after))
    for (const [eventId, incidentId] of placements) if (incidentId === from.id) placements.set(eventId, into.id)
    return after
  }

  const absorbLinked = (grown: IncidentRecord): void => {
    const [into, ...rest] = linked(grown)
      .filter(record => !isSettled(record))
      .sort(byStanding)
    const absorbed = rest.filter(isUntouched)
    // Absorbing widens the reach, so look again until nothing more is linked.
    if (into && absorbed.length > 0) absorbLinked(absorbed.reduce(absorb, into))
  }

  for (const fact of facts) {
    if (known.has(fact.eventId)) continue
    known.add(fact.eventId)
    if (!raisesIncidents(fact.kind)) {
      placements.set(fact.eventId, null)
      continue
    }
    const opened = openIncident(fact)
    const home = homeOf(fact, opened)
    const next = home ? reopenedBy(fact, home, join(home, opened)) : opened
    put(next)
    placements.set(fact.eventId, next.id)
    timeline.push(...(home ? growthEntries(fact, home, next) : openingEntries(fact, next)))
    if (mergesHappenings(fact.kind) && !isSettled(next)) absorbLinked(next)
  }

  return {
    incidents: [...changed].map(id => incidents.get(id)!),
    timeline,
    placements: [...placements].map(([eventId, incidentId]) => ({ eventId, incidentId })),
    merges,
  }
}

/**
 * Settled incidents take in what had happened before people settled them (a late backlog), what is worse than they
 * knew, and, while shelved, everything. Anything else that begins afterwards is news and gets an incident of its own.
 */
const takesIn = (record: IncidentRecord, fact: EventFact): boolean => {
  if (record.state === 'shelved') return true
  if (record.settledAt !== null && fact.phenomenonAt <= record.settledAt) return true
  return (record.state === 'resolved' || record.state === 'closed') && isWorse(fact.severity, record.severity)
}

/** Worse than when people settled it: they must look again. Merged-away and duplicate incidents stay where they are. */
const reopenedBy = (fact: EventFact, home: IncidentRecord, joined: IncidentRecord): IncidentRecord => {
  if (!isSettled(home) || home.state === 'duplicate' || !isWorse(fact.severity, home.severity)) return joined
  const ended = joined.endedAt !== null
  return { ...joined, state: 'reopened', settledAt: null, resolutionProposed: ended }
}

/** Those that people work on first, then the oldest: that one keeps its number when several turn out to be one. */
const byStanding = (a: IncidentRecord, b: IncidentRecord): number =>
  Number(isUntouched(a)) - Number(isUntouched(b)) || a.openedAt - b.openedAt || (a.id < b.id ? -1 : 1)

const emptied = (record: IncidentRecord, into: string): IncidentRecord => ({
  ...record,
  state: 'duplicate',
  duplicateOf: into,
  happenings: [],
  pictures: [],
  eventCount: 0,
  resolutionProposed: false,
})

const entry = (
  incidentId: string,
  at: number,
  action: TimelineDraft['action'],
  rest: Partial<TimelineDraft> = {},
): TimelineDraft => ({ incidentId, at, by: 'system', action, from: null, to: null, note: null, eventId: null, ...rest })

const openingEntries = (fact: EventFact, record: IncidentRecord): TimelineDraft[] => [
  entry(record.id, fact.receivedAt, 'opened', { to: fact.severity, eventId: fact.eventId }),
  ...assignmentEntries(fact.receivedAt, null, record),
  ...proposalEntries(fact.receivedAt, false, record),
]

const growthEntries = (fact: EventFact, before: IncidentRecord, after: IncidentRecord): TimelineDraft[] => [
  entry(after.id, fact.receivedAt, 'event', { to: fact.phase, eventId: fact.eventId }),
  ...changeEntries(fact.receivedAt, before, after),
  ...(before.state === after.state
    ? []
    : [
        entry(after.id, fact.receivedAt, 'state', {
          from: before.state,
          to: after.state,
          note: 'Severity rose after it had been settled',
        }),
      ]),
]

const mergeEntries = (before: IncidentRecord, from: IncidentRecord, after: IncidentRecord): TimelineDraft[] => [
  entry(after.id, from.updatedAt, 'merged', { from: from.id, to: after.id }),
  ...changeEntries(from.updatedAt, before, after),
  entry(from.id, from.updatedAt, 'merged', { from: from.id, to: after.id }),
]

const changeEntries = (at: number, before: IncidentRecord, after: IncidentRecord): TimelineDraft[] => [
  ...(before.severity === after.severity
    ? []
    : [entry(after.id, at, 'severity', { from: before.severity, to: after.severity })]),
  ...assignmentEntries(at, before.wardId, after),
  ...proposalEntries(at, before.resolutionProposed, after),
]

const assignmentEntries = (at: number, wardBefore: string | null, record: IncidentRecord): TimelineDraft[] =>
  record.wardId === wardBefore ? [] : [entry(record.id, at, 'assigned', { from: wardBefore, to: record.wardId })]

const proposalEntries = (at: number, proposedBefore: boolean, record: IncidentRecord): TimelineDraft[] =>
  record.resolutionProposed && !proposedBefore ? [entry(record.id, at, 'proposed', { to: 'resolved' })] : []
