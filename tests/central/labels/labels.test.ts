import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import type { Me } from '@watchpost/shared/api/incidents'
import { ExportQuery } from '@watchpost/shared/api/labels'
import { Value } from '@sinclair/typebox/value'
import { eventExample } from '@watchpost/shared/contracts/event'
import sharp from 'sharp'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { EvidenceFile } from '../../../central/evidence/evidence-store.js'
import type { IncidentStore } from '../../../central/incidents/incident-store.js'
import { openSqliteIncidents } from '../../../central/incidents/sqlite/incident-store.js'
import type { ExportLog } from '../../../central/labels/export-log.js'
import { createLabels, type Labels } from '../../../central/labels/labels.js'
import { exportLogHash, openSqliteExportLog } from '../../../central/labels/sqlite/export-log.js'
import { fact } from '../incidents/facts.js'

const engineer: Me = { name: 'mai', role: 'engineer', wardId: null }
const query = (change: object = {}): ExportQuery => Value.Parse(ExportQuery, change)

let directory: string
let store: IncidentStore
let exportLog: ExportLog
let labels: Labels
let opened: number
let picture: Buffer
/** Pictures that cannot be read to their end. */
let broken: Set<string>
const find = async (sha256: string): Promise<EvidenceFile> => ({
  evidence: {
    sha256,
    mediaType: 'image/jpeg',
    bytes: picture.length,
    storedAt: 0,
    agentId: 'a',
    cameraId: null,
    role: null,
    takenAt: null,
  },
  open: range => {
    if (!range) opened++
    const part = range ? picture.subarray(range.start, range.end + 1) : picture
    return Readable.from([broken.has(sha256) && !range ? part.subarray(1) : part])
  },
})
const judge = async (id: string, pictureSha256: string): Promise<void> => {
  const { eventId, siteId, cameraId, happeningKey, receivedAt, phenomenonAt } = fact({ id, happening: id })
  const box = [0.1, 0.1, (id.length % 5) / 10 + 0.1, 0.2] as [number, number, number, number]
  const evidence = [{ ...eventExample.evidence[0]!, sha256: pictureSha256 }]
  const event = { ...eventExample, kind: 'forest-fire' as const, geometry: { box, label: 'smoke' }, evidence }
  const changes = { incidents: [], timeline: [], placements: [], merges: [] }
  const stored = { eventId, position: 1, siteId, agentId: 'a', cameraId, happeningKey, receivedAt, phenomenonAt, event }
  const verdict = { eventId, value: 'true' as const, by: 'lan', at: 0, note: null, pictureSha256, boxes: null }
  await store.commit({ changes, events: [stored], verdict })
}
const hash = (number: number): string => String(number).padStart(64, '0')
const pauses = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'labels-'))
  picture = await sharp({ create: { width: 320, height: 180, channels: 3, background: '#456' } })
    .jpeg()
    .toBuffer()
  opened = 0
  broken = new Set()
  store = openSqliteIncidents({ file: ':memory:' })
  exportLog = openSqliteExportLog({ file: ':memory:' })
  const scratchDirectory = join(directory, 'scratch')
  const { verdicts } = store
  labels = createLabels({
    verdicts,
    evidence: { find },
    exportLog,
    scratchDirectory,
    clock: () => 0,
    log: { warn: () => {} },
  })
})
afterEach(async () => {
  await store.close()
  await exportLog.close()
  rmSync(directory, { recursive: true })
})

describe('an export', () => {
  it('walks over many pages and puts the events of one picture together', async () => {
    for (let index = 0; index < 401; index++) await judge(`e${'x'.repeat(index % 7)}${index}`, hash(index >> 1))
    const { bytes } = await labels.export(query({ images: 'none' }), engineer)
    const { images, annotations, manifest } = JSON.parse((await bytes.toArray()).join(''))
    expect(images.map((image: { sha256: string }) => image.sha256)).toEqual(
      Array.from({ length: 201 }, (_, n) => hash(n)),
    )
    expect(images.flatMap((image: { events: object[] }) => image.events)).toHaveLength(401)
    expect(annotations.length + manifest.leftOut.sameBoxes).toBe(401)
    expect(annotations.map((item: { id: number }) => item.id)).toEqual(
      annotations.map((_: object, at: number) => at + 1),
    )
  })

  it('reads no further than its reader does', async () => {
    for (let index = 0; index < 300; index++) await judge(`e${index}`, hash(index))
    const { bytes } = await labels.export(query(), engineer)
    bytes.read(1)
    for (let turn = 0; turn < 500; turn++) await pauses()
    // Node's stream holds 64 KB, and each picture brings two more blocks.
    expect(opened).toBeLessThanOrEqual(Math.ceil(65_536 / picture.length) + 2)
    await bytes.resume().toArray()
    expect(opened).toBe(300)
  })

  it('breaks off when a picture is cut short under it, says so in the log, and leaves nothing behind', async () => {
    for (let index = 0; index < 3; index++) await judge(`e${index}`, hash(index))
    broken.add(hash(1))
    const { bytes } = await labels.export(query(), engineer)
    await expect(bytes.toArray()).rejects.toThrow(/was it removed meanwhile/)
    const [end] = await labels.exports(1)
    expect(end).toMatchObject({ by: 'mai', action: 'broke-off', detail: { reason: expect.stringContaining(hash(1)) } })
    expect(readdirSync(join(directory, 'scratch'))).toEqual([])
  })

  it('chains its log: whoever changes an entry breaks what follows', async () => {
    for (let index = 0; index < 2; index++) await (await labels.export(query(), engineer)).bytes.resume().toArray()
    const entries = [...(await labels.exports(10))].reverse()
    expect(entries.map(({ action, export: of }) => `${of} ${action}`)).toEqual([
      '1 began',
      '1 finished',
      '3 began',
      '3 finished',
    ])
    let previous = ''
    for (const { hash: stored, ...entry } of entries) {
      expect(stored).toBe(exportLogHash(previous, { ...entry, detail: JSON.stringify(entry.detail) }))
      previous = stored
    }
  })

  it('empties what a crash left in its scratch folder', async () => {
    const scratch = join(directory, 'scratch')
    rmSync(scratch, { recursive: true, force: true })
    writeFileSync(scratch, 'left behind')
    await (await labels.export(query(), engineer)).bytes.resume().toArray()
    expect(readdirSync(scratch)).toEqual([])
  })
})
