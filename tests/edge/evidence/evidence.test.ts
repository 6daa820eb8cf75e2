import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Value } from '@sinclair/typebox/value'
import { Evidence } from '@watchpost/shared/contracts/evidence'
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { createEvidence } from '../../../edge/evidence/evidence.js'
import { recordLog } from '../../helpers/camera-fixture.js'
import { temporaryFolder } from '../../helpers/clips.js'
import { mountSmallDisk } from '../../helpers/small-disk.js'
import { noiseFrame, noon } from './evidence-fixture.js'

const open = async (dir: string, quotaMb = 100) => {
  const log = recordLog()
  const evidence = createEvidence({ dir, quotaMb, jpegQuality: 80, log })
  await evidence.start()
  return { evidence, log }
}
const files = (dir: string) =>
  readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter(f => f.isFile())
    .map(f => f.name)

describe('evidence', () => {
  it('keeps a JPEG under its hash and describes it in the words of the contract', async () => {
    const dir = temporaryFolder('evidence')
    const { evidence } = await open(dir)
    const picture = await evidence.snapshot(noiseFrame(1, noon + 678), 'snapshot')
    expect(Value.Check(Evidence, picture)).toBe(true)
    expect(picture).toMatchObject({ role: 'snapshot', takenAt: '2026-10-27T05:00:00.678Z', mediaType: 'image/jpeg' })
    const jpeg = readFileSync(join(dir, picture.sha256.slice(0, 2), `${picture.sha256}.jpg`))
    expect(createHash('sha256').update(jpeg).digest('hex')).toBe(picture.sha256)
    expect(jpeg.length).toBe(picture.bytes)
    expect(await sharp(jpeg).metadata()).toMatchObject({ format: 'jpeg', width: 160, height: 90 })
    expect((await sharp(jpeg).metadata()).exif).toBeUndefined()
  })

  it('keeps one picture for two events of one frame', async () => {
    const dir = temporaryFolder('evidence')
    const { evidence } = await open(dir)
    const told: string[] = []
    evidence.onPending(sha256 => told.push(sha256))
    const frame = noiseFrame(1)
    const [first, second] = await Promise.all([evidence.snapshot(frame, 'at'), evidence.snapshot(frame, 'at')])
    expect(second).toEqual(first)
    expect(evidence.status()).toMatchObject({ pending: 1, bytes: first.bytes })
    expect(told).toEqual([first.sha256])
    expect(files(dir).filter(name => name.endsWith('.jpg'))).toHaveLength(1)
  })

  it('shows a traffic violation before, at and after, and a flood at its moment only', async () => {
    const { evidence } = await open(temporaryFolder('evidence'))
    const frames = Array.from({ length: 40 }, (_, n) => noiseFrame(n + 1, noon + n * 100))
    for (const frame of frames.slice(0, 21)) evidence.remember(frame)
    const draft = { kind: 'red-light', phase: 'began' } as const
    const pictures = await evidence.take(draft, frames[20]!)
    expect(pictures.map(({ role, takenAt }) => [role, Date.parse(takenAt) - noon])).toEqual([
      ['before', 1000],
      ['at', 2000],
    ])
    const after = evidence.takeAfter(draft, frames[20]!)
    for (const frame of frames.slice(21)) evidence.remember(frame)
    expect(await after).toMatchObject({ role: 'after', takenAt: new Date(noon + 3000).toISOString() })

    const flood = { kind: 'flood-level', phase: 'began' } as const
    expect((await evidence.take(flood, frames[20]!)).map(({ role }) => role)).toEqual(['at'])
    expect(await evidence.takeAfter(flood, frames[20]!)).toBeUndefined()
    await evidence.stop()
  })

  it('takes no picture when a violation ends: the vehicle is gone by then', async () => {
    const { evidence } = await open(temporaryFolder('evidence'))
    expect(await evidence.take({ kind: 'red-light', phase: 'ended' }, noiseFrame(1))).toEqual([])
    expect(await evidence.take({ kind: 'flood-level', phase: 'ended' }, noiseFrame(1))).toHaveLength(1)
    await evidence.stop()
  })

  it('does not wait for a picture after the event once it is stopping', async () => {
    const { evidence } = await open(temporaryFolder('evidence'))
    const after = evidence.takeAfter({ kind: 'wrong-way', phase: 'began' }, noiseFrame(1))
    await evidence.stop()
    expect(await after).toBeUndefined()
  })

  it('does not show one camera in the events of another', async () => {
    const { evidence } = await open(temporaryFolder('evidence'))
    evidence.remember(noiseFrame(1, noon - 1000, 'bridge'))
    const pictures = await evidence.take({ kind: 'red-light', phase: 'began' }, noiseFrame(2, noon, 'gate'))
    expect(pictures.map(({ role }) => role)).toEqual(['at'])
  })

  it('still owes the unsent pictures after a restart, oldest first, and clears half-written files away', async () => {
    const dir = temporaryFolder('evidence')
    const { evidence } = await open(dir)
    const newest = await evidence.snapshot(noiseFrame(1, noon + 60_000), 'at')
    const oldest = await evidence.snapshot(noiseFrame(2, noon), 'at')
    const sent = await evidence.snapshot(noiseFrame(3, noon + 1000), 'at')
    await evidence.markSent(sent.sha256)
    writeFileSync(join(dir, sent.sha256.slice(0, 2), 'half.part'), 'half')

    const again = await open(dir)
    expect(again.evidence.pending()).toEqual([oldest.sha256, newest.sha256])
    expect(again.evidence.status()).toMatchObject({ pending: 2, sent: 1, dead: 0 })
    expect(again.evidence.status().bytes).toBe(newest.bytes + oldest.bytes + sent.bytes)
    expect(files(dir)).not.toContain('half.part')
    const upload = await again.evidence.openForUpload(newest.sha256)
    expect(upload!.note).toEqual({ cameraId: 'gate', role: 'at', takenAt: noon + 60_000 })
  })

  it('does not send a picture that was damaged on disk', async () => {
    const dir = temporaryFolder('evidence')
    const { evidence, log } = await open(dir)
    const { sha256 } = await evidence.snapshot(noiseFrame(1), 'at')
    truncateSync(join(dir, sha256.slice(0, 2), `${sha256}.jpg`), 100)
    expect(await evidence.openForUpload(sha256)).toBeUndefined()
    expect(evidence.status()).toMatchObject({ pending: 0, dead: 1 })
    expect(log.text()).toContain('damaged')
    // The same picture taken again is kept anew.
    await evidence.snapshot(noiseFrame(1), 'at')
    expect(evidence.status()).toMatchObject({ pending: 1, dead: 0 })
  })

  it('makes room by deleting sent pictures, oldest first, and never unsent ones', async () => {
    const dir = temporaryFolder('evidence')
    const probe = (await (await open(temporaryFolder('probe'))).evidence.snapshot(noiseFrame(1), 'at')).bytes
    const quotaMb = (probe * 10.5) / 1024 / 1024
    const { evidence, log } = await open(dir, quotaMb)
    const taken = []
    for (let n = 0; n < 10; n++) taken.push(await evidence.snapshot(noiseFrame(n + 1, noon + n * 1000), 'at'))
    await evidence.markSent(taken[3]!.sha256)
    await evidence.markSent(taken[2]!.sha256)

    await evidence.snapshot(noiseFrame(11, noon + 11_000), 'at')
    expect(files(dir)).not.toContain(`${taken[2]!.sha256}.sent.jpg`)
    expect(evidence.status()).toMatchObject({ pending: 9, failed: { 'quota-full': 0 } })
    expect(evidence.status().evicted).toBeGreaterThanOrEqual(1)

    const draft = { kind: 'flood-level', phase: 'began' } as const
    for (let n = 12; n < 16; n++) await evidence.take(draft, noiseFrame(n, noon + n * 1000))
    expect(evidence.status().failed['quota-full']).toBeGreaterThan(0)
    expect(evidence.status().sent).toBe(0)
    expect(evidence.status().bytes).toBeLessThanOrEqual(quotaMb * 1024 * 1024)
    for (const { sha256 } of taken.filter((_, n) => n !== 2 && n !== 3)) expect(files(dir)).toContain(`${sha256}.jpg`)
    expect(log.text()).toContain('raise evidence.quotaMb')
  })
})

describe('evidence on a full disk', () => {
  it('lets the event go on without picture, counts it, says what to do, and keeps what was kept', async ({ skip }) => {
    const disk = mountSmallDisk(96)
    if ('reason' in disk) return skip(disk.reason)
    const { evidence, log } = await open(disk.path)
    const draft = { kind: 'flood-level', phase: 'began' } as const
    const kept: string[] = []
    for (let n = 1; n <= 12; n++) {
      for (const { sha256 } of await evidence.take(draft, noiseFrame(n))) kept.push(sha256)
    }
    expect(kept.length).toBeGreaterThan(0)
    expect(evidence.status().failed['disk-full']).toBe(12 - kept.length)
    expect(evidence.status().failed['disk-full']).toBeGreaterThan(0)
    expect(log.text()).toContain('free space')
    expect(log.text().match(/could not be kept/g)).toHaveLength(1)
    for (const sha256 of kept) expect((await evidence.openForUpload(sha256))?.sha256).toBe(sha256)
    expect(files(disk.path).filter(name => name.endsWith('.part'))).toEqual([])
  })
})
