import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Value } from '@sinclair/typebox/value'
import { Envelope, eventEnvelopeExample, observationEnvelopeExample } from '@watchpost/shared/contracts/envelope'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createMemoryOutbox } from '../../edge/outbox/adapters/memory.js'
import { openSqliteOutbox } from '../../edge/outbox/adapters/sqlite.js'
import { maxDeadLetters, type Outbox, type OutboxRecord } from '../../edge/outbox/outbox.js'

const observation = (value: number, cameraId = 'le-loi-1'): OutboxRecord => ({
  cameraId,
  type: 'observation.v1',
  data: { ...observationEnvelopeExample.data, value },
})
const event = (happeningId: string): OutboxRecord => ({
  cameraId: 'le-loi-1',
  type: 'event.v1',
  data: { ...eventEnvelopeExample.data, happeningId },
})
const health: OutboxRecord = {
  cameraId: 'le-loi-1',
  type: 'camera-health.v1',
  data: {
    condition: 'offline',
    phase: 'began',
    message: 'no answer',
    hint: 'Check the cable.',
    phenomenonTime: '2026-10-27T03:04:05.678Z',
  },
}
const problem = { type: 'about:blank', title: 'Message does not fit its schema', status: 422 }
const many = (count: number) => Array.from({ length: count }, (_, index) => observation(index))

const expectBalance = async (outbox: Outbox): Promise<void> => {
  const status = await outbox.status()
  const rows = await outbox.readAfter(0, 1_000_000)
  expect(status.size).toBe(rows.length)
  expect(status.appended).toBe(status.acked + status.deadLetters + status.thinned + status.size)
}

const adapters = [
  {
    name: 'sqlite',
    open: (folder: string, maxRows: number) =>
      openSqliteOutbox({ file: join(folder, 'outbox.db'), siteId: 'an-cuu', maxRows }),
  },
  {
    name: 'memory',
    open: async (_folder: string, maxRows: number) => createMemoryOutbox({ siteId: 'an-cuu', maxRows }),
  },
]

describe.each(adapters)('outbox: $name', ({ open }) => {
  let folder: string
  let outbox: Outbox
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'outbox-'))
    outbox = await open(folder, 1000)
  })
  afterEach(async () => {
    await outbox.close()
    rmSync(folder, { recursive: true, force: true })
  })

  it('numbers messages without a gap from 1, in the order they were appended', async () => {
    await outbox.append([observation(1), event('a')])
    await outbox.append([health])
    const rows = await outbox.readAfter(0, 10)
    expect(rows.map(row => [row.seq, row.type])).toEqual([
      [1, 'observation.v1'],
      [2, 'event.v1'],
      [3, 'camera-health.v1'],
    ])
  })

  it('keeps the order of concurrent appends and numbers every one', async () => {
    await Promise.all(many(300).map(record => outbox.append([record])))
    const rows = await outbox.readAfter(0, 1000)
    expect(rows.map(row => row.seq)).toEqual(Array.from({ length: 300 }, (_, index) => index + 1))
    expect(rows.map(row => 'value' in row.data && row.data.value)).toEqual(
      Array.from({ length: 300 }, (_, index) => index),
    )
  })

  it('makes envelopes that fit their schema, exactly once', async () => {
    await outbox.append([observation(1), event('a'), health])
    const first = await outbox.readAfter(0, 10)
    expect(first.flatMap(row => [...Value.Errors(Envelope, row)].map(error => error.message))).toEqual([])
    expect(await outbox.readAfter(0, 10)).toEqual(first)
    expect(first[0]?.epoch).toBe((await outbox.status()).epoch)
    expect(first[0]?.source).toBe('/sites/an-cuu/cameras/le-loi-1')
  })

  it('reads after a seq, at most as many as asked for', async () => {
    await outbox.append(many(10))
    expect((await outbox.readAfter(3, 4)).map(row => row.seq)).toEqual([4, 5, 6, 7])
    expect(await outbox.readAfter(10, 4)).toEqual([])
  })

  it('deletes what central acknowledged and nothing else', async () => {
    await outbox.append(many(10))
    const { epoch } = await outbox.status()
    await outbox.readAfter(0, 100)
    await outbox.acknowledge(epoch, 4)
    await outbox.acknowledge(epoch, 4)
    await outbox.acknowledge(epoch, 2)
    expect((await outbox.readAfter(0, 100)).map(row => row.seq)).toEqual([5, 6, 7, 8, 9, 10])
    expect(await outbox.status()).toMatchObject({ ackedSeq: 4, acked: 4, oldestSeq: 5, lastSeq: 10, size: 6 })
    await expectBalance(outbox)
  })

  it('ignores acks and nacks of another epoch', async () => {
    await outbox.append(many(3))
    const { epoch } = await outbox.status()
    await outbox.acknowledge(epoch - 1, 3)
    await outbox.reject(epoch - 1, 1, problem)
    expect(await outbox.status()).toMatchObject({ size: 3, ackedSeq: 0, deadLetters: 0 })
  })

  it('moves a refused message to the dead letters once, with its reason', async () => {
    await outbox.append([observation(1), event('poison'), observation(3)])
    const { epoch } = await outbox.status()
    await outbox.reject(epoch, 2, problem)
    await outbox.reject(epoch, 2, problem)
    expect((await outbox.readAfter(0, 10)).map(row => row.seq)).toEqual([1, 3])
    const dead = await outbox.deadLetters(10)
    expect(dead).toHaveLength(1)
    expect(dead[0]).toMatchObject({ problem, envelope: { seq: 2, data: { happeningId: 'poison' } } })
    await expectBalance(outbox)
  })

  it('keeps the newest dead letters, as many as it may, and counts all', async () => {
    const count = maxDeadLetters + 20
    await outbox.append(Array.from({ length: count }, (_, index) => event(`e${index}`)))
    const { epoch } = await outbox.status()
    for (let seq = 1; seq <= count; seq++) await outbox.reject(epoch, seq, problem)
    expect(await outbox.status()).toMatchObject({ deadLetters: count, keptDeadLetters: maxDeadLetters, size: 0 })
    const dead = await outbox.deadLetters(count)
    expect([dead.length, dead[0]?.envelope.seq, dead.at(-1)?.envelope.seq]).toEqual([maxDeadLetters, 21, count])
    await expectBalance(outbox)
  })

  it('stores rule states with the messages, the last one of a rule wins', async () => {
    await outbox.append([event('a')], { 'le-loi-1/flood': { open: ['a'] } })
    await outbox.append([], { 'le-loi-1/flood': { open: [] }, other: 1 })
    expect(await outbox.states()).toEqual({ 'le-loi-1/flood': { open: [] }, other: 1 })
    await outbox.append([], { other: null, unknown: null })
    expect(await outbox.states()).toEqual({ 'le-loi-1/flood': { open: [] } })
  })

  it('thins the oldest observations, every second one, when it is full', async () => {
    await outbox.append(many(1000))
    await outbox.append(many(50))
    const rows = await outbox.readAfter(0, 5000)
    const kept = rows.map(row => row.seq)
    expect(kept.length).toBeLessThanOrEqual(1000)
    expect(kept.slice(0, 4)).toEqual([2, 4, 6, 8])
    expect(kept.slice(-10)).toEqual(Array.from({ length: 10 }, (_, index) => 1042 + index))
    await expectBalance(outbox)
  })

  it('never thins events or camera health', async () => {
    await outbox.append([...Array.from({ length: 700 }, (_, index) => event(`e${index}`)), health])
    for (let round = 0; round < 10; round++) await outbox.append(many(100))
    const rows = await outbox.readAfter(0, 5000)
    expect(rows.filter(row => row.type === 'event.v1' && row.data.kind !== 'data-loss')).toHaveLength(700)
    expect(rows.filter(row => row.type === 'camera-health.v1')).toHaveLength(1)
    expect((await outbox.status()).size).toBeLessThanOrEqual(1000)
    await expectBalance(outbox)
  })

  it('keeps every event even beyond its bound, and drops observations meanwhile', async () => {
    await outbox.append(Array.from({ length: 1200 }, (_, index) => event(`e${index}`)))
    await outbox.append(many(100))
    const rows = await outbox.readAfter(0, 5000)
    expect(rows.filter(row => row.type === 'event.v1' && row.data.kind !== 'data-loss')).toHaveLength(1200)
    expect(rows.filter(row => row.type === 'observation.v1')).toHaveLength(0)
    await expectBalance(outbox)
  })

  it('reports a loss as one happening whose ranges name exactly what was thinned', async () => {
    for (let round = 0; round < 30; round++) await outbox.append(many(100))
    const { epoch } = await outbox.status()
    const losses: { phase: string; happeningId: string; lost: number[] }[] = []
    const kept: number[] = []
    for (let after = 0; ; ) {
      const rows = await outbox.readAfter(after, 100)
      if (rows.length === 0) break
      for (const row of rows) {
        kept.push(row.seq)
        if (row.type !== 'event.v1') continue
        const lost = (row.data.lost ?? []).flatMap(({ fromSeq, toSeq }) =>
          Array.from({ length: toSeq - fromSeq + 1 }, (_, index) => fromSeq + index),
        )
        losses.push({ phase: row.data.phase, happeningId: row.data.happeningId, lost })
      }
      after = rows.at(-1)!.seq
      await outbox.acknowledge(epoch, after)
    }
    const { lastSeq, thinned } = await outbox.status()
    const held = new Set(kept)
    const missing = Array.from({ length: lastSeq }, (_, index) => index + 1).filter(seq => !held.has(seq))
    expect(losses.flatMap(loss => loss.lost).sort((a, b) => a - b)).toEqual(missing)
    expect(missing).toHaveLength(thinned)
    expect(losses[0]?.phase).toBe('began')
    expect(losses.at(-1)?.phase).toBe('ended')
    expect(new Set(losses.map(loss => loss.happeningId)).size).toBe(1)
    await expectBalance(outbox)
  })
})
