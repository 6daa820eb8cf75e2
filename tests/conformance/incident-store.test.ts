import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventExample } from '@watchpost/shared/contracts/event'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createMemoryIncidentStore } from '../../central/incidents/adapters/memory-store.js'
import type { EngineChanges, IncidentRecord } from '../../central/incidents/engine/incident-record.js'
import { openIncident } from '../../central/incidents/engine/record-change.js'
import type { IncidentStore, StoredEvent } from '../../central/incidents/incident-store.js'
import { openSqliteIncidents } from '../../central/incidents/sqlite/incident-store.js'
import { timelineHash } from '../../central/incidents/timeline-hash.js'
import { type FactOptions, fact, minute, startAt } from '../central/incidents/facts.js'

let directory: string
let store: IncidentStore
const file = () => join(directory, 'incidents.sqlite')

const adapters = [
  ['memory', createMemoryIncidentStore],
  ['sqlite', () => openSqliteIncidents({ file: file() })],
] as const

const none: EngineChanges = { incidents: [], timeline: [], placements: [], merges: [] }
const incident = (options: FactOptions): IncidentRecord => openIncident(fact(options))
const entry = (incidentId: string, note: string) => ({
  incidentId,
  at: startAt,
  by: 'lan',
  action: 'note' as const,
  from: null,
  to: null,
  note,
  eventId: null,
})
const storedEvent = (options: FactOptions, position = 1): StoredEvent => {
  const { eventId, siteId, cameraId, happeningKey, receivedAt, phenomenonAt, kind } = fact(options)
  const event = { ...eventExample, kind }
  return { eventId, position, siteId, agentId: 'an-cuu-1', cameraId, happeningKey, receivedAt, phenomenonAt, event }
}
const put = (records: readonly IncidentRecord[]) =>
  store.commit({ changes: { ...none, incidents: records }, events: [] })
const all = { limit: 100 }

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'incidents-'))
})
afterEach(async () => {
  await store.close()
  rmSync(directory, { recursive: true })
})

describe.each(adapters)('incident store: %s', (_name, open) => {
  beforeEach(() => {
    store = open()
  })

  it('numbers incidents from 1 in the order they are stored, and keeps the number', async () => {
    await put([incident({ id: 'a' })])
    await put([incident({ id: 'b' }), incident({ id: 'c' })])
    await put([{ ...incident({ id: 'a' }), version: 1, state: 'acknowledged' }])
    const numbers = await Promise.all(['a', 'b', 'c'].map(async id => (await store.get(id))?.number))
    expect(numbers).toEqual([1, 2, 3])
    expect(await store.get('a')).toMatchObject({ state: 'acknowledged', version: 2 })
    expect(await store.get('missing')).toBeUndefined()
  })

  it('refuses the whole commit when any record moved on', async () => {
    await put([incident({ id: 'a' })])
    const outcome = await store.commit({
      changes: {
        ...none,
        incidents: [incident({ id: 'b' }), incident({ id: 'a' })],
        timeline: [entry('a', 'lost')],
      },
      events: [storedEvent({ id: 'e' })],
    })
    expect(outcome).toBe('conflict')
    expect(await store.get('b')).toBeUndefined()
    expect(await store.event('e')).toBeUndefined()
    expect(await store.timeline('a')).toEqual([])
  })

  it('finds what surrounds events: known ids, holders of happenings, and extents that touch a span', async () => {
    await put([
      incident({ id: 'near', happening: 'near', atMin: 10 }),
      incident({ id: 'far', happening: 'far', atMin: 100 }),
      incident({ id: 'other', happening: 'other', atMin: 10, kind: 'forest-fire' }),
    ])
    await store.commit({ changes: none, events: [storedEvent({ id: 'e' })] })
    const situation = await store.situation({
      eventIds: ['e', 'new'],
      happeningKeys: ['an-cuu/far'],
      spans: [{ kind: 'flood-level', fromMs: startAt, toMs: startAt + 10 * minute }],
    })
    expect(situation.incidents.map(record => record.id).sort()).toEqual(['far', 'near'])
    expect([...situation.knownEventIds]).toEqual(['e'])
  })

  it('pages newest first without gaps or repeats while incidents come in', async () => {
    await put(
      Array.from({ length: 7 }, (_, index) => incident({ id: `i${index}`, happening: `h${index}`, atMin: index >> 1 })),
    )
    const first = await store.list({}, { limit: 3 })
    await put([incident({ id: 'newer', happening: 'newer', atMin: 60 })])
    const last = first.at(-1)!
    const second = await store.list({}, { limit: 10, after: { at: last.openedAt, id: last.id } })
    expect([...first, ...second].map(record => record.id)).toEqual(['i6', 'i5', 'i4', 'i3', 'i2', 'i1', 'i0'])
  })

  it('filters incidents', async () => {
    await put([
      incident({ id: 'flood', severity: 'critical', atMin: 5 }),
      { ...incident({ id: 'fire', kind: 'forest-fire', camera: 'an-cuu-1', happening: 'f' }), state: 'closed' },
    ])
    await store.commit({
      changes: { ...none, placements: [{ eventId: 'e', incidentId: 'flood' }] },
      events: [storedEvent({ id: 'e' })],
    })
    const ids = async (filter: Parameters<IncidentStore['list']>[0]) =>
      (await store.list(filter, all)).map(record => record.id)
    expect(await ids({ states: ['closed', 'resolved'] })).toEqual(['fire'])
    expect(await ids({ kinds: ['flood-level'] })).toEqual(['flood'])
    expect(await ids({ severities: ['critical'] })).toEqual(['flood'])
    expect(await ids({ cameraId: 'an-cuu-1' })).toEqual(['fire'])
    expect(await ids({ wardId: 'thuan-hoa' })).toEqual(['flood'])
    expect(await ids({ hotspotId: 'an-cuu' })).toEqual(['fire'])
    expect(await ids({ sinceMs: startAt + minute })).toEqual(['flood'])
    expect(await ids({ untilMs: startAt + minute })).toEqual(['fire'])
    expect(await ids({ evidenceSha256: eventExample.evidence[0]!.sha256 })).toEqual(['flood'])
    expect(await ids({ states: [] })).toEqual([])
  })

  it('keeps an event once, with its place and its verdict', async () => {
    await put([incident({ id: 'a' })])
    const placed = { ...none, placements: [{ eventId: 'e', incidentId: 'a' }] }
    await store.commit({ changes: placed, events: [storedEvent({ id: 'e' })] })
    await store.commit({ changes: none, events: [storedEvent({ id: 'e' }, 99)] })
    const verdict = {
      eventId: 'e',
      value: 'true' as const,
      by: 'lan',
      at: 5,
      note: null,
      pictureSha256: null,
      boxes: null,
    }
    await store.commit({ changes: none, events: [], verdict })
    expect(await store.event('e')).toEqual({ ...storedEvent({ id: 'e' }), incidentId: 'a', verdict })
    expect(await store.events({ incidentId: 'a' }, all)).toHaveLength(1)
    expect(await store.events({ wardId: 'thuan-hoa', cameraId: 'le-loi-1', kinds: ['flood-level'] }, all)).toHaveLength(
      1,
    )
    expect(await store.events({ wardId: 'an-cuu' }, all)).toEqual([])
    expect(await store.events({ sinceMs: startAt + 1 }, all)).toEqual([])
  })

  it('moves events and happenings when one incident is merged into another', async () => {
    await put([incident({ id: 'a', happening: 'a' }), incident({ id: 'b', happening: 'b' })])
    await store.commit({
      changes: { ...none, placements: [{ eventId: 'e', incidentId: 'b' }] },
      events: [storedEvent({ id: 'e' })],
    })
    const [a, b] = [(await store.get('a'))!, (await store.get('b'))!]
    await store.commit({
      changes: {
        ...none,
        incidents: [
          { ...b, happenings: [], state: 'duplicate', duplicateOf: 'a' },
          { ...a, happenings: [...a.happenings, ...b.happenings] },
        ],
        merges: [{ from: 'b', into: 'a' }],
      },
      events: [],
    })
    expect(await store.event('e')).toMatchObject({ incidentId: 'a' })
    const situation = await store.situation({ eventIds: [], happeningKeys: ['an-cuu/b'], spans: [] })
    expect(situation.incidents.map(record => record.id)).toEqual(['a'])
  })

  it('chains each timeline by hash', async () => {
    await put([incident({ id: 'a' })])
    await store.commit({ changes: { ...none, timeline: [entry('a', 'one'), entry('a', 'two')] }, events: [] })
    await store.commit({ changes: { ...none, timeline: [entry('a', 'three')] }, events: [] })
    const timeline = await store.timeline('a')
    expect(timeline.map(item => item.note)).toEqual(['one', 'two', 'three'])
    let previous = 'a'
    for (const { hash, ...rest } of timeline) {
      expect(hash).toBe(timelineHash(previous, rest))
      previous = hash
    }
  })

  it('remembers a request key and refuses a second commit under it', async () => {
    const request = { key: 'lan/1', fingerprint: 'f', at: startAt }
    await put([incident({ id: 'a' })])
    expect(await store.commit({ changes: none, events: [], request })).toBe('committed')
    expect(await store.commit({ changes: { ...none, timeline: [entry('a', 'x')] }, events: [], request })).toBe(
      'conflict',
    )
    expect(await store.requestFingerprint('lan/1')).toBe('f')
    expect(await store.requestFingerprint('lan/2')).toBeUndefined()
    expect(await store.timeline('a')).toEqual([])
  })
})

describe('incident store: sqlite', () => {
  beforeEach(() => {
    store = openSqliteIncidents({ file: file() })
  })

  it('holds everything after reopening', async () => {
    await put([incident({ id: 'a' })])
    await store.close()
    store = openSqliteIncidents({ file: file() })
    expect(await store.get('a')).toMatchObject({ number: 1, version: 1 })
  })

  it('does not let anybody change or delete a timeline entry', async () => {
    await put([incident({ id: 'a' })])
    await store.commit({ changes: { ...none, timeline: [entry('a', 'one')] }, events: [] })
    const database = new Database(file())
    expect(() => database.exec(`UPDATE timeline SET note = 'other'`)).toThrow('append-only')
    expect(() => database.exec('DELETE FROM timeline')).toThrow('append-only')
    database.close()
  })

  it('refuses a database of a newer release and says what to do', async () => {
    const database = new Database(join(directory, 'newer.sqlite'))
    database.pragma('user_version = 999')
    database.close()
    expect(() => openSqliteIncidents({ file: join(directory, 'newer.sqlite') })).toThrow(/newer release.*restore/s)
  })
})
