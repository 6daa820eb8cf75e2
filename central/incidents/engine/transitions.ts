import type { IncidentState, Role } from '@watchpost/shared/api/incidents'

/**
 * What people may do next. Nobody closes what was never resolved, and what is settled comes back only as
 * `reopened`, so that the record shows it.
 */
export const transitionTable: Readonly<Record<IncidentState, readonly IncidentState[]>> = {
  new: ['acknowledged', 'assigned', 'inProgress', 'falsePositive', 'duplicate', 'shelved'],
  acknowledged: ['assigned', 'inProgress', 'resolved', 'falsePositive', 'duplicate', 'shelved'],
  assigned: ['acknowledged', 'assigned', 'inProgress', 'resolved', 'falsePositive', 'duplicate', 'shelved'],
  inProgress: ['assigned', 'resolved', 'falsePositive', 'duplicate', 'shelved'],
  resolved: ['closed', 'reopened'],
  closed: ['reopened'],
  falsePositive: ['reopened'],
  duplicate: ['reopened'],
  shelved: ['acknowledged', 'reopened'],
  reopened: ['acknowledged', 'assigned', 'inProgress', 'resolved', 'falsePositive', 'duplicate', 'shelved'],
}

/** Nobody has taken these up yet, so the system may still merge them into another or move them to another ward. */
export const untouchedStates: ReadonlySet<IncidentState> = new Set(['new'])

const officerStates: ReadonlySet<IncidentState> = new Set([
  'acknowledged',
  'assigned',
  'inProgress',
  'resolved',
  'reopened',
])

/** A ward officer works on an incident and hands it back; judging and closing it is the centre's. */
export const allowedStates = (state: IncidentState, role: Role): readonly IncidentState[] => {
  if (role === 'viewer') return []
  const next = transitionTable[state]
  return role === 'wardOfficer' ? next.filter(to => officerStates.has(to)) : next
}

/** Changes of course that make no sense to the next reader without a reason. */
export const needsNote = (from: IncidentState, to: IncidentState): boolean =>
  to === 'reopened' || (from === 'assigned' && to === 'acknowledged')
