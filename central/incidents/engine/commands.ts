import {
  type IncidentState,
  type Role,
  settledStates,
  type Transition,
  type VerdictValue,
} from '@watchpost/shared/api/incidents'
import type { EngineChanges, IncidentRecord, TimelineDraft } from './incident-record.js'
import { isSettled } from './record-change.js'
import { allowedStates, needsNote } from './transitions.js'

export interface Actor {
  readonly name: string
  readonly role: Role
}

export type CommandResult =
  | { readonly ok: true; readonly changes: EngineChanges }
  | { readonly ok: false; readonly path: string; readonly message: string; readonly hint: string }

/** What this person may do with this incident next; an incident that was merged away stays so. */
export const nextStates = (record: IncidentRecord, role: Role): readonly IncidentState[] =>
  record.duplicateOf === null ? allowedStates(record.state, role) : []

export const transition = (record: IncidentRecord, command: Transition, actor: Actor, atMs: number): CommandResult => {
  const next = nextStates(record, actor.role)
  if (!next.includes(command.to)) {
    return refuse(
      'to',
      `${record.state} → ${command.to} is not allowed for ${actor.role}`,
      next.length > 0 ? `Allowed next: ${next.join(', ')}.` : 'Nothing is allowed next; see the incident it points to.',
    )
  }
  const note = command.note?.trim() || null
  const assignee = command.assignee?.trim() || null
  if (needsNote(record.state, command.to) && note === null) {
    return refuse('note', `${record.state} → ${command.to} needs a reason`, 'Send it as "note".')
  }
  if (command.to === 'assigned' && assignee === null) {
    return refuse('assignee', 'Nobody is named to work on it', 'Send a person or a team as "assignee".')
  }
  const handedBack = record.state === 'assigned' && command.to === 'acknowledged'
  const after = settle({ ...record, assignee: handedBack ? null : (assignee ?? record.assignee) }, command.to, atMs)
  const entries = [draft(record.id, actor, atMs, 'state', { from: record.state, to: command.to, note })]
  if (after.assignee !== record.assignee) {
    entries.push(draft(record.id, actor, atMs, 'assigned', { from: record.assignee, to: after.assignee }))
  }
  return accept(after, entries)
}

export const addNote = (record: IncidentRecord, note: string, actor: Actor, atMs: number): CommandResult =>
  actor.role === 'viewer'
    ? refuse('role', 'A viewer may not write notes', 'Ask an administrator for the reviewer role.')
    : accept({ ...record, updatedAt: atMs }, [draft(record.id, actor, atMs, 'note', { note })])

export interface VerdictCommand {
  readonly eventId: string
  readonly happeningKey: string
  readonly value: VerdictValue
  readonly note: string | null
}

/**
 * A judgement of one event moves the incident along: true takes it up, false on every happening it holds dismisses it.
 * One false picture among several happenings leaves the incident to its state.
 */
export const judge = (record: IncidentRecord, verdict: VerdictCommand, actor: Actor, atMs: number): CommandResult => {
  if (actor.role === 'viewer' || actor.role === 'wardOfficer') {
    return refuse('role', `A ${actor.role} may not judge events`, 'Ask an administrator for the reviewer role.')
  }
  const verdicts = [
    ...record.verdicts.filter(other => other.eventId !== verdict.eventId),
    { eventId: verdict.eventId, happeningKey: verdict.happeningKey, value: verdict.value },
  ]
  const judged = { ...record, verdicts, updatedAt: atMs }
  const to = consequence(judged, verdict.value)
  const entries = [
    draft(record.id, actor, atMs, 'verdict', { to: verdict.value, note: verdict.note, eventId: verdict.eventId }),
  ]
  if (to === undefined) return accept(judged, entries)
  entries.push(draft(record.id, actor, atMs, 'state', { from: record.state, to }))
  return accept(settle(judged, to, atMs), entries)
}

const consequence = (record: IncidentRecord, value: VerdictValue): IncidentState | undefined => {
  if (record.duplicateOf !== null || isSettled(record)) return undefined
  if (value === 'true') return record.state === 'new' || record.state === 'reopened' ? 'acknowledged' : undefined
  if (value !== 'false') return undefined
  const allFalse = record.happenings.every(happening =>
    record.verdicts.some(verdict => verdict.happeningKey === happening.key && verdict.value === 'false'),
  )
  return allFalse && record.verdicts.every(verdict => verdict.value !== 'true') ? 'falsePositive' : undefined
}

const settle = (record: IncidentRecord, to: IncidentState, atMs: number): IncidentRecord => {
  const settled = settledStates.includes(to)
  // Closing keeps the moment of resolving: what happened in between is still news.
  const settledAt = settled ? (record.settledAt ?? atMs) : null
  return { ...record, state: to, updatedAt: atMs, settledAt, resolutionProposed: !settled && record.endedAt !== null }
}

const accept = (record: IncidentRecord, timeline: readonly TimelineDraft[]): CommandResult => ({
  ok: true,
  changes: { incidents: [record], timeline, placements: [], merges: [] },
})

const refuse = (path: string, message: string, hint: string): CommandResult => ({ ok: false, path, message, hint })

const draft = (
  incidentId: string,
  actor: Actor,
  at: number,
  action: TimelineDraft['action'],
  rest: Partial<TimelineDraft>,
): TimelineDraft => ({
  incidentId,
  at,
  by: actor.name,
  action,
  from: null,
  to: null,
  note: null,
  eventId: null,
  ...rest,
})
