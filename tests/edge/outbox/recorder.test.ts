import { setTimeout as sleep } from 'node:timers/promises'
import { eventEnvelopeExample, observationEnvelopeExample } from '@watchpost/shared/contracts/envelope'
import { describe, expect, it, vi } from 'vitest'
import { createMemoryOutbox } from '../../../edge/outbox/adapters/memory.js'
import type { Outbox, OutboxRecord } from '../../../edge/outbox/outbox.js'
import { OutboxWriteError } from '../../../edge/outbox/outbox-write-error.js'
import { createRecorder } from '../../../edge/outbox/recorder.js'

const observation: OutboxRecord = {
  cameraId: 'le-loi-1',
  type: 'observation.v1',
  data: observationEnvelopeExample.data,
}
const event = (happeningId: string): OutboxRecord => ({
  cameraId: 'le-loi-1',
  type: 'event.v1',
  data: { ...eventEnvelopeExample.data, happeningId },
})

const setUp = (maxHeld?: number) => {
  const memory = createMemoryOutbox({ siteId: 'an-cuu', maxRows: 10_000 })
  const disk = { isFull: false, pauseMs: 0, appends: 0 }
  const outbox: Outbox = {
    ...memory,
    append: async (records, states) => {
      disk.appends++
      if (disk.isFull) throw new OutboxWriteError('outbox.db', 'SQLITE_FULL', {})
      await sleep(disk.pauseMs)
      await memory.append(records, states)
    },
  }
  const log = { info: vi.fn(), error: vi.fn() }
  const recorder = createRecorder({ outbox, log, retryMs: 20, ...(maxHeld === undefined ? {} : { maxHeld }) })
  const stored = async () =>
    (await memory.readAfter(0, 1000)).map(row => ('happeningId' in row.data ? row.data.happeningId : row.type))
  return { memory, disk, recorder, log, stored }
}

describe('recording while the disk is full', () => {
  it('keeps events in order, drops observations, and tells the loss as an event when there is room', async () => {
    const { memory, disk, recorder, log, stored } = setUp()
    await recorder.record([event('before')])
    disk.isFull = true
    await recorder.record([observation, event('a')], { rule: 1 })
    await recorder.record([observation, event('b')], { rule: 2 })
    expect(recorder.status()).toMatchObject({
      held: 2,
      dropped: { 'observation.v1': 2 },
      problem: { hint: expect.stringContaining('disk space') },
    })
    expect(await stored()).toEqual(['before'])
    disk.isFull = false
    await vi.waitFor(() => expect(recorder.status().problem).toBeNull(), { timeout: 60_000 })
    const rows = await stored()
    expect(rows.slice(-2)).toEqual(['a', 'b'])
    expect(rows).toHaveLength(5)
    const losses = (await memory.readAfter(0, 10)).flatMap(row =>
      'kind' in row.data && row.data.kind === 'data-loss' ? [row.data] : [],
    )
    expect(losses.map(loss => [loss.phase, loss.measure?.value])).toEqual([
      ['began', 0],
      ['ended', 2],
    ])
    expect(await memory.states()).toEqual({ rule: 2 })
    expect(log.error).toHaveBeenCalledTimes(1)
  })

  it('counts events it cannot keep any more', async () => {
    const { disk, recorder, stored } = setUp(2)
    disk.isFull = true
    for (const id of ['a', 'b', 'c']) await recorder.record([event(id)])
    expect(recorder.status()).toMatchObject({ held: 2, dropped: { 'event.v1': 1 } })
    disk.isFull = false
    await vi.waitFor(() => expect(recorder.status().problem).toBeNull(), { timeout: 60_000 })
    expect((await stored()).slice(-2)).toEqual(['a', 'b'])
  })

  it('stores every event once when it stops while a retry is under way', async () => {
    const { memory, disk, recorder, stored } = setUp()
    disk.isFull = true
    await recorder.record([event('a')])
    // The disk has room again, but is slow: the agent is stopped in the middle of the retry.
    disk.isFull = false
    disk.pauseMs = 200
    await vi.waitFor(() => expect(disk.appends).toBe(2), { timeout: 60_000, interval: 5 })
    await recorder.stop()
    expect(await stored()).toEqual(['a'])
    expect((await memory.status()).appended).toBe(1)
  })

  it('stores what it holds when it stops and there is room', async () => {
    const { disk, recorder, stored } = setUp()
    disk.isFull = true
    await recorder.record([event('a')])
    disk.isFull = false
    await recorder.stop()
    expect(await stored()).toEqual(['a'])
  })
})
