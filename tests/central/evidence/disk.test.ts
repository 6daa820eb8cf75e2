import { createHash, randomBytes } from 'node:crypto'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openDiskEvidence } from '../../../central/evidence/adapters/disk.js'
import { openDiskIndex } from '../../../central/evidence/adapters/disk-index.js'
import type { EvidenceSource, EvidenceStore } from '../../../central/evidence/evidence-store.js'

const minute = 60_000
let directory: string
let store: EvidenceStore
let now: number
let named: Set<string>
const open = (): EvidenceStore =>
  openDiskEvidence({ directory, maxBytes: 10_000, isNamed: async sha => named.has(sha), clock: () => now })

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'evidence-'))
  now = 1_793_070_000_000
  named = new Set()
  store = open()
})
afterEach(async () => {
  await store.close()
  rmSync(directory, { recursive: true })
})

const jpeg = (): Buffer => Buffer.concat([Buffer.from([0xff, 0xd8, 0xff]), randomBytes(500)])
const sha256Of = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')
const source = (change: Partial<EvidenceSource> = {}): EvidenceSource => ({
  agentId: 'an-cuu-1',
  cameraId: 'le-loi-1',
  role: 'at',
  takenAt: now,
  ...change,
})
const put = async (bytes: Buffer, from: EvidenceSource = source()): Promise<string> => {
  await store.receive(sha256Of(bytes), Readable.from([bytes.subarray(0, 5), bytes.subarray(5)]), from)
  return sha256Of(bytes)
}
const pathOf = (sha256: string): string => join(directory, sha256.slice(0, 2), sha256)

describe('evidence on disk', () => {
  it('gives back the bytes it was given, whole or in part', async () => {
    const bytes = jpeg()
    const file = await store.find(await put(bytes))
    expect(file?.evidence).toMatchObject({ mediaType: 'image/jpeg', bytes: 503, cameraId: 'le-loi-1', storedAt: now })
    expect((await buffer(file!.open())).equals(bytes)).toBe(true)
    expect((await buffer(file!.open({ start: 10, end: 19 }))).equals(bytes.subarray(10, 20))).toBe(true)
  })

  it('tells once of what is new', async () => {
    const heard: string[] = []
    store.onStored(evidence => heard.push(evidence.sha256))
    const bytes = jpeg()
    await put(bytes)
    await put(bytes)
    expect(heard).toEqual([sha256Of(bytes)])
  })

  it('knows its files again when the index is lost', async () => {
    const sha256 = await put(jpeg())
    await store.close()
    for (const suffix of ['', '-wal', '-shm']) rmSync(join(directory, `index.sqlite${suffix}`), { force: true })
    store = open()
    expect(await store.stored([sha256])).toEqual(new Set([sha256]))
    expect((await store.find(sha256))?.evidence).toMatchObject({ mediaType: 'image/jpeg', bytes: 503 })
  })

  it('no longer claims a file that somebody deleted, and takes it again', async () => {
    const bytes = jpeg()
    const sha256 = await put(bytes)
    rmSync(pathOf(sha256))
    expect(await store.find(sha256)).toBeUndefined()
    const receipt = await store.receive(sha256, Readable.from([bytes]), source())
    expect(receipt).toMatchObject({ ok: true, created: true })
  })

  it('clears away what a crash left half written', async () => {
    await store.close()
    writeFileSync(join(directory, 'incoming', 'half'), 'half')
    store = open()
    expect(existsSync(join(directory, 'incoming', 'half'))).toBe(false)
  })

  it('says so when the sender breaks off', async () => {
    const broken = new Readable({ read: () => {} })
    broken.push(jpeg())
    const receipt = store.receive('0'.repeat(64), broken, source())
    setImmediate(() => broken.destroy(new Error('aborted')))
    expect(await receipt).toEqual({ ok: false, reason: 'interrupted' })
  })

  it('deletes a camera’s older snapshots after a while, but never evidence of an event', async () => {
    const snapshot = () => put(jpeg(), source({ role: 'snapshot', takenAt: now }))
    const evidence = await put(jpeg())
    const first = await snapshot()
    const second = await snapshot()
    named.add(second)
    now += 4 * minute
    const third = await snapshot()
    expect(await store.stored([evidence, first, second, third])).toHaveProperty('size', 4)
    now += 2 * minute
    const fourth = await snapshot()
    expect(await store.stored([evidence, first, second, third, fourth])).toEqual(
      new Set([evidence, second, third, fourth]),
    )
    expect(existsSync(pathOf(first))).toBe(false)
    expect((await store.newestPicture('le-loi-1', 'snapshot'))?.sha256).toBe(fourth)
  })

  it('keeps a picture that was sent as both a snapshot and evidence, in either order', async () => {
    const [first, second] = [jpeg(), jpeg()]
    await put(first, source({ role: 'snapshot' }))
    await put(first, source({ role: 'at' }))
    await put(second, source({ role: 'at' }))
    await put(second, source({ role: 'snapshot' }))
    now += 10 * minute
    await put(jpeg(), source({ role: 'snapshot', takenAt: now }))
    expect(await store.stored([sha256Of(first), sha256Of(second)])).toHaveProperty('size', 2)
  })

  it('lets only the sender change what it said of a picture; another agent completes it at most', async () => {
    const [bytes, undescribed] = [jpeg(), jpeg()]
    const mine = source({ cameraId: 'le-loi-1', takenAt: now })
    const others = source({ agentId: 'kim-long-1', cameraId: 'kim-long-1', takenAt: now - minute })
    const sha256 = await put(bytes, mine)
    await put(bytes, others)
    expect((await store.find(sha256))?.evidence).toMatchObject(mine)
    await put(bytes, { ...mine, takenAt: now - 1000 })
    expect((await store.find(sha256))?.evidence).toMatchObject({ ...mine, takenAt: now - 1000 })
    const bare = await put(undescribed, source({ cameraId: null, role: null, takenAt: null }))
    await put(undescribed, others)
    expect((await store.find(bare))?.evidence).toMatchObject({ ...others, agentId: 'an-cuu-1' })
  })

  it('keeps a wall picture that another agent needs as evidence, as the picture of its own camera', async () => {
    const bytes = jpeg()
    const wall = source({ role: 'snapshot' })
    const sha256 = await put(bytes, wall)
    await put(bytes, source({ agentId: 'kim-long-1', cameraId: 'kim-long-1', role: 'at' }))
    expect((await store.find(sha256))?.evidence).toMatchObject({ ...wall, role: 'at' })
  })

  it('sweeps what is older than its retention, except the newest snapshot of a camera', async () => {
    const evidence = await put(jpeg())
    const wall = await put(jpeg(), source({ role: 'snapshot' }))
    now += minute
    const later = await put(jpeg(), source({ cameraId: 'le-loi-2' }))
    expect(await store.sweep(now)).toBe(1)
    expect(await store.stored([evidence, wall, later])).toEqual(new Set([wall, later]))
  })

  it('sweeps all there is at once, however much, and stops when it is closed', async () => {
    await store.close()
    const index = openDiskIndex(join(directory, 'index.sqlite'))
    for (let number = 0; number < 2500; number++)
      index.put({
        ...source(),
        sha256: number.toString(16).padStart(64, '0'),
        mediaType: 'image/jpeg',
        bytes: 1,
        storedAt: now,
      })
    index.close()
    store = open()
    const sweeping = store.sweep(now + minute)
    await store.close()
    const removed = await sweeping
    expect(removed).toBeLessThan(2500)
    store = open()
    expect(await store.sweep(now + minute)).toBe(2500 - removed)
  })

  it('deletes older snapshots also beside a hundred that events name', async () => {
    const snapshot = () => {
      now += 1000
      return put(jpeg(), source({ role: 'snapshot', takenAt: now }))
    }
    for (let number = 0; number < 100; number++) named.add(await snapshot())
    const unnamed = await snapshot()
    for (let number = 0; number < 100; number++) named.add(await snapshot())
    now += 6 * minute
    for (let number = 0; number < 3; number++) await snapshot()
    expect(existsSync(pathOf(unnamed))).toBe(false)
    expect(await store.stored([...named])).toHaveProperty('size', 200)
  })
})
