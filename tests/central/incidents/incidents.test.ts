import type { IncidentSummary, Me, VerdictBody } from '@watchpost/shared/api/incidents'
import { eventEnvelopeExample, observationEnvelopeExample } from '@watchpost/shared/contracts/envelope'
import { eventExample } from '@watchpost/shared/contracts/event'
import { beforeEach, describe, expect, it } from 'vitest'
import { createMemoryIncidentStore } from '../../../central/incidents/adapters/memory-store.js'
import type { IncidentStore } from '../../../central/incidents/incident-store.js'
import { createIncidents, type Incidents, type IncidentsOptions } from '../../../central/incidents/incidents.js'
import { openSqliteIncidents } from '../../../central/incidents/sqlite/incident-store.js'
import type { CommittedRecord } from '../../../central/ingest/committed-record.js'
import { cityRegistry } from './city.js'
import { minute, rules, startAt } from './facts.js'

const reviewer: Me = { name: 'lan', role: 'reviewer', wardId: null }
const officer = (wardId: string | null): Me => ({ name: 'minh', role: 'wardOfficer', wardId })
const sha256 = eventExample.evidence[0]!.sha256
const all = { limit: 50 }

const eventRecord = (
  id: string,
  change: Partial<typeof eventExample> = {},
  cameraId = 'le-loi-1',
): CommittedRecord => ({
  position: 1,
  siteId: 'an-cuu',
  agentId: 'an-cuu-1',
  cameraId,
  receivedAt: startAt + 1000,
  envelope: { ...eventEnvelopeExample, id, data: { ...eventExample, ...change } },
})
const at = (minutes: number): string => new Date(startAt + minutes * minute).toISOString()

let store: IncidentStore
let stored: Set<string>
let incidents: Incidents
let changes: IncidentSummary[]
const make = (use: IncidentStore, onPutAside?: IncidentsOptions['onPutAside']): Incidents =>
  createIncidents({
    store: use,
    registry: cityRegistry,
    evidence: { stored: async wanted => new Set(wanted.filter(sha => stored.has(sha))) },
    clock: () => startAt + 60 * minute,
    log: { warn: () => {} },
    ...(onPutAside && { onPutAside }),
    ...rules,
  })

beforeEach(() => {
  store = createMemoryIncidentStore()
  stored = new Set()
  changes = []
  incidents = make(store)
  incidents.onChange(summary => changes.push(summary))
})

describe('incidents', () => {
  it('raises an incident from a committed event and shows it with its evidence pending', async () => {
    await incidents.apply([
      { ...eventRecord('o'), envelope: observationEnvelopeExample },
      eventRecord('e1', { level: 'knee-deep' }),
    ])
    const page = await incidents.list({}, all, reviewer)
    expect(page).toMatchObject({
      items: [{ number: 1, kind: 'flood-level', state: 'new', hotspotId: 'le-loi', thumbnailSha256: null }],
      next: null,
    })
    const incident = await incidents.get(page.items[0]!.id, reviewer)
    expect(incident).toMatchObject({
      level: 'knee-deep',
      events: [{ eventId: 'e1', evidence: [{ sha256, stored: false }] }],
      timeline: [{ action: 'opened' }, { action: 'assigned', to: 'thuan-hoa' }],
    })
    expect(incident?.allowedStates).toContain('acknowledged')
    expect(changes).toMatchObject([{ id: 'e1', version: 1 }])
  })

  it.each([
    ['a leap second', { phenomenonTime: '2026-12-31T23:59:60.000Z' }],
    ['a picture of month 13', { evidence: [{ ...eventExample.evidence[0]!, takenAt: '2026-13-01T00:00:00.000Z' }] }],
  ])('puts aside an event with %s that an older log holds, and goes on with the next', async (_, change) => {
    const sqlite = openSqliteIncidents({ file: ':memory:' })
    const putAside: string[] = []
    incidents = make(sqlite, record => putAside.push(record.envelope.id))
    await incidents.apply([eventRecord('e1', change), eventRecord('e2')])
    expect(putAside).toEqual(['e1'])
    expect((await incidents.list({}, all, reviewer)).items.map(({ id }) => id)).toEqual(['e2'])
    await sqlite.close()
  })

  it('announces an incident again when its picture arrives', async () => {
    await incidents.apply([eventRecord('e1')])
    stored.add(sha256)
    await incidents.evidenceArrived(sha256)
    expect(changes.at(-1)).toMatchObject({ id: 'e1', thumbnailSha256: sha256 })
  })

  it('changes nothing when the same run of the log comes again', async () => {
    const run = [eventRecord('e1'), eventRecord('e2', { phase: 'updated', phenomenonTime: at(6) })]
    await incidents.apply(run)
    await incidents.apply(run)
    expect((await incidents.list({}, all, reviewer)).items).toMatchObject([{ eventCount: 2, version: 1 }])
    expect(changes).toHaveLength(1)
  })

  it('merges through the store what a long happening spans', async () => {
    store = openSqliteIncidents({ file: ':memory:' })
    const overSqlite = make(store)
    const fire = { kind: 'straw-burning' as const, evidence: [] }
    await overSqlite.apply([eventRecord('a', { ...fire, happeningId: 'a', phenomenonTime: at(0) })])
    await overSqlite.apply([eventRecord('b', { ...fire, happeningId: 'b', phenomenonTime: at(60) }, 'le-loi-2')])
    await overSqlite.apply([eventRecord('c', { ...fire, happeningId: 'a', phenomenonTime: at(120), phase: 'ended' })])
    const page = await overSqlite.list({}, all, reviewer)
    expect(page.items.map(item => [item.id, item.state, item.eventCount])).toEqual([
      ['b', 'duplicate', 0],
      ['a', 'new', 3],
    ])
    await store.close()
  })

  it('refuses a change made on an outdated view, and repeats no request', async () => {
    await incidents.apply([eventRecord('e1')])
    const request = { key: 'lan/k1', fingerprint: 'f1' }
    const first = await incidents.transition('e1', { to: 'acknowledged' }, reviewer, { expectedVersion: 1, request })
    expect(first).toMatchObject({ ok: true, incident: { state: 'acknowledged', version: 2 } })
    const again = await incidents.transition('e1', { to: 'acknowledged' }, reviewer, { expectedVersion: 1, request })
    expect(again).toMatchObject({ ok: true, incident: { version: 2 } })
    const reused = { key: 'lan/k1', fingerprint: 'f2' }
    expect(await incidents.transition('e1', { to: 'resolved' }, reviewer, { request: reused })).toMatchObject({
      reason: 'key-reused',
    })
    expect(await incidents.transition('e1', { to: 'resolved' }, reviewer, { expectedVersion: 1 })).toMatchObject({
      reason: 'stale',
    })
    expect(await incidents.transition('e1', { to: 'closed' }, reviewer)).toMatchObject({
      reason: 'refused',
      path: 'to',
    })
  })

  it('applies two notes sent at once to one incident', async () => {
    await incidents.apply([eventRecord('e1')])
    const outcomes = await Promise.all([
      incidents.note('e1', 'road closed', reviewer),
      incidents.note('e1', 'pump sent', reviewer),
    ])
    expect(outcomes.map(outcome => outcome.ok)).toEqual([true, true])
    const incident = await incidents.get('e1', reviewer)
    expect(incident?.timeline.filter(entry => entry.action === 'note').map(entry => entry.note)).toEqual([
      'road closed',
      'pump sent',
    ])
  })

  it('keeps a verdict with its event and moves the incident along', async () => {
    await incidents.apply([eventRecord('e1')])
    const outcome = await incidents.verdict('e1', { value: 'false', note: 'a wet road' }, reviewer)
    expect(outcome).toMatchObject({ ok: true, incident: { state: 'falsePositive' } })
    expect(await incidents.event('e1', reviewer)).toMatchObject({
      verdict: { value: 'false', by: 'lan', note: 'a wet road' },
    })
    expect(await incidents.verdict('missing', { value: 'true' }, reviewer)).toEqual({ ok: false, reason: 'not-found' })
  })

  it('keeps the boxes a reviewer drew when the same is judged again without any', async () => {
    await incidents.apply([eventRecord('e1')])
    const boxes = [{ label: 'water', box: [0.1, 0.2, 0.3, 0.4] as [number, number, number, number] }]
    const judged = async (verdict: VerdictBody) => {
      expect(await incidents.verdict('e1', verdict, reviewer)).toMatchObject({ ok: true })
      return (await store.event('e1'))?.verdict
    }
    await judged({ value: 'true', boxes, picture: sha256 })
    expect(await judged({ value: 'true' })).toMatchObject({ value: 'true', boxes, pictureSha256: sha256 })
    expect(await judged({ value: 'false' })).toMatchObject({ value: 'false', boxes: null })
    expect(await judged({ value: 'true', note: 'after all' })).toMatchObject({ note: 'after all', boxes })
    expect(await judged({ value: 'true', boxes: [] })).toMatchObject({ boxes: [] })
    expect(await judged({ value: 'true' })).toMatchObject({ boxes: [] })
  })

  it('keeps them when both come at the same time', async () => {
    await incidents.apply([eventRecord('e1')])
    const boxes = [{ label: 'water', box: [0.1, 0.2, 0.3, 0.4] as [number, number, number, number] }]
    await Promise.all([
      incidents.verdict('e1', { value: 'true', boxes }, reviewer),
      incidents.verdict('e1', { value: 'true' }, reviewer),
    ])
    expect((await store.event('e1'))?.verdict).toMatchObject({ boxes })
  })

  it('shows a ward officer the incidents of their ward and nothing else', async () => {
    await incidents.apply([eventRecord('e1'), eventRecord('e2', { happeningId: 'other' }, 'an-cuu-1')])
    expect((await incidents.list({}, all, officer('an-cuu'))).items.map(item => item.id)).toEqual(['e2'])
    expect((await incidents.list({ wardId: 'thuan-hoa' }, all, officer('an-cuu'))).items.map(item => item.id)).toEqual([
      'e2',
    ])
    expect((await incidents.list({}, all, officer(null))).items).toEqual([])
    expect(await incidents.get('e1', officer('an-cuu'))).toBeUndefined()
    expect(await incidents.event('e1', officer('an-cuu'))).toBeUndefined()
    expect((await incidents.events({}, all, officer('an-cuu'))).items.map(item => item.eventId)).toEqual(['e2'])
    expect(await incidents.transition('e1', { to: 'acknowledged' }, officer('an-cuu'))).toMatchObject({
      reason: 'not-found',
    })
  })

  it('hands out pages that continue where the last one ended', async () => {
    await incidents.apply(
      [0, 30, 60].map(minutes =>
        eventRecord(`e${minutes}`, { happeningId: `h${minutes}`, phenomenonTime: at(minutes) }),
      ),
    )
    const first = await incidents.list({}, { limit: 2 }, reviewer)
    expect(first.items.map(item => item.id)).toEqual(['e60', 'e30'])
    const second = await incidents.list({}, { limit: 2, after: first.next! }, reviewer)
    expect(second).toMatchObject({ items: [{ id: 'e0' }], next: null })
  })

  it('lists data loss among the events, without an incident', async () => {
    await incidents.apply([eventRecord('loss', { kind: 'data-loss', evidence: [] })])
    expect((await incidents.list({}, all, reviewer)).items).toEqual([])
    expect((await incidents.events({ kinds: ['data-loss'] }, all, reviewer)).items).toMatchObject([
      { eventId: 'loss', incidentId: null },
    ])
  })
})
