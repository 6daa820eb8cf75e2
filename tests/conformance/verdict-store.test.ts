import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { VerdictValue } from '@watchpost/shared/api/incidents'
import { eventExample } from '@watchpost/shared/contracts/event'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createMemoryIncidentStore } from '../../central/incidents/adapters/memory-store.js'
import type { EngineChanges } from '../../central/incidents/engine/incident-record.js'
import type { IncidentStore } from '../../central/incidents/incident-store.js'
import { openSqliteIncidents } from '../../central/incidents/sqlite/incident-store.js'
import type { JudgedEvent, PictureKey, StoredVerdict } from '../../central/incidents/verdict-store.js'
import { type FactOptions, fact, startAt } from '../central/incidents/facts.js'

let directory: string
let store: IncidentStore
const file = () => join(directory, 'incidents.sqlite')
const adapters = [
  ['memory', createMemoryIncidentStore],
  ['sqlite', () => openSqliteIncidents({ file: file() })],
] as const

const none: EngineChanges = { incidents: [], timeline: [], placements: [], merges: [] }
const all = { limit: 100 }
const everything = { through: 1000 }

const happen = async (options: FactOptions & { readonly version?: string | null }): Promise<void> => {
  const { eventId, siteId, cameraId, happeningKey, receivedAt, phenomenonAt, kind } = fact(options)
  const { model, ...rest } = { ...eventExample, kind }
  const event =
    options.version === null ? rest : { ...rest, model: { ...model!, version: options.version ?? model!.version } }
  const stored = { eventId, position: 1, siteId, agentId: 'a', cameraId, happeningKey, receivedAt, phenomenonAt, event }
  await store.commit({ changes: none, events: [stored] })
}
let clock = startAt
const judge = async (eventId: string, value: VerdictValue, change: Partial<StoredVerdict> = {}): Promise<void> => {
  const verdict = { eventId, value, by: 'lan', at: ++clock, note: null, pictureSha256: 'p', boxes: null, ...change }
  await store.commit({ changes: none, events: [], verdict })
}
const ids = (items: readonly { readonly verdict: StoredVerdict }[]) => items.map(({ verdict }) => verdict.eventId)

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'verdicts-'))
})
afterEach(async () => {
  await store.close()
  rmSync(directory, { recursive: true })
})

describe.each(adapters)('verdict store: %s', (_name, open) => {
  beforeEach(() => {
    store = open()
  })

  it('keeps every verdict with its boxes, and the newest one is in force', async () => {
    await happen({ id: 'e' })
    expect(await store.verdicts.newest()).toBe(0)
    const boxes = [{ label: 'smoke', box: [0.1, 0.2, 0.3, 0.4] as [number, number, number, number] }]
    await judge('e', 'true', { by: 'lan', boxes })
    await judge('e', 'false', { by: 'minh', boxes: [] })
    expect(await store.verdicts.newest()).toBe(2)
    expect(await store.verdicts.history('e')).toMatchObject([
      { value: 'true', by: 'lan', boxes },
      { value: 'false', by: 'minh', boxes: [] },
    ])
    expect((await store.event('e'))?.verdict).toMatchObject({ value: 'false', by: 'minh' })
    expect(await store.verdicts.history('missing')).toEqual([])
  })

  it('gives labels by picture, events of one picture together, in pages', async () => {
    for (const id of ['a', 'b', 'c', 'd', 'e']) await happen({ id, happening: id })
    await judge('a', 'true', { pictureSha256: 'p2' })
    await judge('b', 'true', { pictureSha256: 'p1' })
    await judge('c', 'false', { pictureSha256: 'p2' })
    await judge('d', 'unsure', { pictureSha256: 'p0' })
    await judge('e', 'true', { pictureSha256: null })
    const first = await store.verdicts.labelled(everything, { limit: 2 })
    expect(ids(first)).toEqual(['b', 'a'])
    const after = { pictureSha256: 'p2', eventId: 'a' }
    expect(ids(await store.verdicts.labelled(everything, { after, limit: 2 }))).toEqual(['c'])
    expect(first[0]).toMatchObject({ number: 2, cameraId: 'le-loi-1', event: { kind: 'flood-level' } })
    expect(await store.verdicts.tally(everything)).toEqual([
      { value: 'false', hasPicture: true, count: 1 },
      { value: 'true', hasPicture: false, count: 1 },
      { value: 'true', hasPicture: true, count: 2 },
      { value: 'unsure', hasPicture: true, count: 1 },
    ])
  })

  it('gives all that was said of a picture the filter chooses, in pages', async () => {
    for (const id of ['a', 'b', 'c', 'd']) await happen({ id, happening: id })
    await happen({ id: 'e', happening: 'e', kind: 'red-light' })
    await judge('e', 'false', { pictureSha256: 'p1' })
    await judge('a', 'true', { pictureSha256: 'p1' })
    await judge('c', 'unsure', { pictureSha256: 'p1' })
    await judge('d', 'duplicate', { pictureSha256: 'p1' })
    await judge('b', 'true', { pictureSha256: 'p2' })
    const given = async (filter: object, page: { readonly after?: PictureKey; readonly limit: number } = all) =>
      ids(await store.verdicts.labelled({ ...everything, ...filter }, page)).join('')
    expect(await given({ kinds: ['red-light'] })).toBe('ace')
    expect(await given({ values: ['false'] })).toBe('ace')
    expect(await given({ values: ['true'] })).toBe('aceb')
    expect(await given({ values: ['unsure'] })).toBe('')
    expect(await given({ values: ['false'], through: 2 })).toBe('ae')
    let [after, page, walked]: [PictureKey | undefined, readonly JudgedEvent[], string] = [undefined, [], '']
    do {
      page = await store.verdicts.labelled(everything, { ...(after && { after }), limit: 1 })
      walked += ids(page)
      after = page[0] && { pictureSha256: page[0].verdict.pictureSha256!, eventId: page[0].verdict.eventId }
    } while (page.length > 0)
    expect(walked).toBe('aceb')
  })

  it('shows labels as they were at an earlier verdict, whatever was judged since', async () => {
    for (const id of ['a', 'b']) await happen({ id, happening: id })
    await judge('a', 'true', { pictureSha256: 'p1' })
    const through = await store.verdicts.newest()
    await judge('a', 'unsure', { pictureSha256: 'p1' })
    await judge('b', 'true', { pictureSha256: 'p2' })
    expect(ids(await store.verdicts.labelled({ through }, all))).toEqual(['a'])
    expect(ids(await store.verdicts.labelled(everything, all))).toEqual(['b'])
    expect(await store.verdicts.tally({ through })).toMatchObject([{ value: 'true', count: 1 }])
  })

  it('filters labels by camera, kind, model, verdict and time of the event', async () => {
    await happen({ id: 'a', happening: 'a', camera: 'an-cuu-1', version: '0.2.0', atMin: 5 })
    await happen({ id: 'b', happening: 'b', kind: 'red-light' })
    await judge('a', 'true', { pictureSha256: 'p1' })
    await judge('b', 'false', { pictureSha256: 'p2' })
    const found = async (filter: object) => ids(await store.verdicts.labelled({ ...everything, ...filter }, all)).join()
    expect(await found({ cameraIds: ['an-cuu-1'] })).toBe('a')
    expect(await found({ kinds: ['red-light'] })).toBe('b')
    expect(await found({ values: ['false'] })).toBe('b')
    expect(await found({ modelId: 'water-segmentation', modelVersion: '0.2.0' })).toBe('a')
    expect(await found({ modelId: 'another' })).toBe('')
    expect(await found({ fromMs: startAt + 1 })).toBe('a')
    expect(await found({ toMs: startAt + 1 })).toBe('b')
  })

  it('counts a happening once per model, by its newest verdict', async () => {
    await happen({ id: 'a1', happening: 'a' })
    await happen({ id: 'a2', happening: 'a', phase: 'updated', atMin: 1 })
    await happen({ id: 'a3', happening: 'a', phase: 'updated', atMin: 2, version: '0.2.0' })
    await happen({ id: 'b', happening: 'b' })
    await happen({ id: 'c', happening: 'c', kind: 'red-light', version: null })
    await judge('a1', 'true')
    await judge('a2', 'false')
    await judge('a3', 'true')
    await judge('b', 'false')
    await judge('c', 'duplicate')
    const model = (version: string) => ({ id: 'water-segmentation', version })
    const flood = { cameraId: 'le-loi-1', kind: 'flood-level' }
    expect(await store.verdicts.counts({})).toEqual([
      { ...flood, model: model('0.1.0'), value: 'false', count: 2, newestAt: clock - 1 },
      { ...flood, model: model('0.2.0'), value: 'true', count: 1, newestAt: clock - 2 },
      { ...flood, kind: 'red-light', model: null, value: 'duplicate', count: 1, newestAt: clock },
    ])
    expect(await store.verdicts.counts({ values: ['true'] })).toHaveLength(1)
    expect(ids(await store.verdicts.happenings({}, { limit: 2 }))).toEqual(['c', 'b'])
    expect(ids(await store.verdicts.happenings({}, { limit: 9, before: 4 }))).toEqual(['a3', 'a2'])
    expect(ids(await store.verdicts.happenings({ values: ['true'] }, { limit: 9 }))).toEqual(['a3'])
  })
})

describe('verdict store: sqlite', () => {
  beforeEach(() => {
    store = openSqliteIncidents({ file: file() })
  })

  it('does not let anybody change or remove a verdict', async () => {
    await happen({ id: 'e' })
    await judge('e', 'true')
    const database = new Database(file())
    expect(() => database.exec(`UPDATE verdicts SET value = 'false'`)).toThrow('append-only')
    expect(() => database.exec('DELETE FROM verdicts')).toThrow('append-only')
    database.close()
  })

  it('takes over the verdicts of a database that kept only the newest of each event', async () => {
    await happen({ id: 'e' })
    await store.close()
    const database = new Database(file())
    database.exec('DROP TABLE verdicts; DROP INDEX incidents_by_hotspot; ALTER TABLE events ADD COLUMN verdict TEXT')
    const box = { label: 'water', box: [0, 0, 0.5, 0.5] }
    const old = { eventId: 'e', value: 'true', by: 'lan', at: 7, note: 'seen', boxes: [box] }
    database.prepare('UPDATE events SET verdict = ?').run(JSON.stringify(old))
    database.pragma('user_version = 1')
    database.close()
    store = openSqliteIncidents({ file: file() })
    expect((await store.event('e'))?.verdict).toEqual({ ...old, pictureSha256: eventExample.evidence[0]!.sha256 })
    expect(await store.verdicts.counts({})).toMatchObject([{ model: { id: 'water-segmentation' }, value: 'true' }])
  })
})
