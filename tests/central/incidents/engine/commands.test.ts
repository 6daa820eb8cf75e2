import { incidentStates } from '@watchpost/shared/api/incidents'
import { describe, expect, it } from 'vitest'
import { addNote, judge, nextStates, transition } from '../../../../central/incidents/engine/commands.js'
import type { IncidentRecord } from '../../../../central/incidents/engine/incident-record.js'
import { openIncident } from '../../../../central/incidents/engine/record-change.js'
import { transitionTable } from '../../../../central/incidents/engine/transitions.js'
import { fact, startAt } from '../facts.js'

const reviewer = { name: 'lan', role: 'reviewer' } as const
const officer = { name: 'minh', role: 'wardOfficer' } as const
const viewer = { name: 'an', role: 'viewer' } as const
const record = (change: Partial<IncidentRecord> = {}): IncidentRecord => ({ ...openIncident(fact()), ...change })
const verdict = (value: 'true' | 'false' | 'unsure', happeningKey: string, eventId = 'e') =>
  ({ eventId, happeningKey, value, note: null }) as const

describe('transition', () => {
  it.each(incidentStates.flatMap(from => incidentStates.map(to => [from, to] as const)))(
    '%s → %s follows the table',
    (from, to) => {
      const result = transition(record({ state: from }), { to, note: 'because', assignee: 'team 1' }, reviewer, startAt)
      expect(result.ok).toBe(transitionTable[from].includes(to))
    },
  )

  it('says what is allowed when it refuses', () => {
    expect(transition(record({ state: 'closed' }), { to: 'resolved' }, reviewer, startAt)).toMatchObject({
      ok: false,
      path: 'to',
      hint: 'Allowed next: reopened.',
    })
  })

  it('wants a reason for reopening and for handing back, and a name for assigning', () => {
    expect(transition(record({ state: 'closed' }), { to: 'reopened' }, reviewer, 0)).toMatchObject({ path: 'note' })
    expect(transition(record({ state: 'assigned' }), { to: 'acknowledged', note: '  ' }, officer, 0)).toMatchObject({
      path: 'note',
    })
    expect(transition(record(), { to: 'assigned' }, reviewer, 0)).toMatchObject({ path: 'assignee' })
  })

  it('hands back without an assignee', () => {
    const assigned = record({ state: 'assigned', assignee: 'ward team' })
    const result = transition(assigned, { to: 'acknowledged', note: 'other ward' }, officer, startAt)
    expect(result.ok && result.changes.incidents[0]).toMatchObject({ state: 'acknowledged', assignee: null })
  })

  it('keeps the moment of resolving when closing', () => {
    const resolved = transition(record({ state: 'acknowledged' }), { to: 'resolved' }, reviewer, 10)
    if (!resolved.ok) throw new Error(resolved.message)
    const closed = transition(resolved.changes.incidents[0]!, { to: 'closed' }, reviewer, 20)
    expect(closed.ok && closed.changes.incidents[0]).toMatchObject({ state: 'closed', settledAt: 10 })
  })

  it('allows a viewer nothing, an officer no judgement, and nobody a merged incident', () => {
    expect(nextStates(record(), 'viewer')).toEqual([])
    expect(nextStates(record({ state: 'inProgress' }), 'wardOfficer')).toEqual(['assigned', 'resolved'])
    expect(nextStates(record({ state: 'duplicate', duplicateOf: 'other' }), 'admin')).toEqual([])
  })
})

describe('judge', () => {
  const { key } = record().happenings[0]!

  it('takes up what is true and dismisses what is false', () => {
    const isTrue = judge(record(), verdict('true', key), reviewer, 1)
    expect(isTrue.ok && isTrue.changes.incidents[0]?.state).toBe('acknowledged')
    const isFalse = judge(record(), verdict('false', key), reviewer, 1)
    expect(isFalse.ok && isFalse.changes.incidents[0]).toMatchObject({ state: 'falsePositive', settledAt: 1 })
    const unsure = judge(record(), verdict('unsure', key), reviewer, 1)
    expect(unsure.ok && unsure.changes.incidents[0]?.state).toBe('new')
  })

  it('does not dismiss an incident of which only one of two happenings was judged false', () => {
    const one = record()
    const two = { ...one, happenings: [...one.happenings, { ...one.happenings[0]!, key: 'other' }] }
    const result = judge(two, verdict('false', key), reviewer, 1)
    expect(result.ok && result.changes.incidents[0]?.state).toBe('new')
  })

  it('does not dismiss what was judged true elsewhere, and lets the last word on an event count', () => {
    const first = judge(record({ state: 'acknowledged' }), verdict('true', key, 'e1'), reviewer, 1)
    if (!first.ok) throw new Error(first.message)
    const second = judge(first.changes.incidents[0]!, verdict('false', key, 'e2'), reviewer, 2)
    if (!second.ok) throw new Error(second.message)
    expect(second.changes.incidents[0]?.state).toBe('acknowledged')
    const third = judge(second.changes.incidents[0]!, verdict('false', key, 'e1'), reviewer, 3)
    expect(third.ok && third.changes.incidents[0]?.state).toBe('falsePositive')
  })

  it('is for reviewers', () => {
    expect(judge(record(), verdict('true', key), officer, 1)).toMatchObject({ ok: false, path: 'role' })
    expect(judge(record(), verdict('true', key), viewer, 1)).toMatchObject({ ok: false, path: 'role' })
    expect(addNote(record(), 'hello', viewer, 1)).toMatchObject({ ok: false, path: 'role' })
  })
})
