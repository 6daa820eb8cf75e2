import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { healthExample } from '@watchpost/shared/contracts/agent-status'
import { eventEnvelopeExample, observationEnvelopeExample } from '@watchpost/shared/contracts/envelope'
import { commandExample, reportedExample } from '@watchpost/shared/contracts/twin'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createMemoryOutbox } from '../../../edge/outbox/adapters/memory.js'
import { openSqliteOutbox } from '../../../edge/outbox/adapters/sqlite.js'
import type { Outbox, OutboxRecord } from '../../../edge/outbox/outbox.js'
import { createMqttJsLink } from '../../../edge/uplink/adapters/mqtt-js.js'
import { createUplink, type Uplink } from '../../../edge/uplink/uplink.js'
import { temporaryFolder } from '../../helpers/clips.js'
import { aedesBroker, mosquittoBroker, type TestBroker } from './brokers.js'
import { connectCentral, type ScriptedCentral } from './scripted-central.js'

const address = { siteId: 'an-cuu', agentId: 'an-cuu-1' }
const record = (value: number): OutboxRecord => ({
  cameraId: 'le-loi-1',
  type: 'observation.v1',
  data: { ...observationEnvelopeExample.data, value },
})
const records = (count: number) => Array.from({ length: count }, (_, index) => record(index))
const seqs = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index)
const soon = { timeout: 60_000, interval: 20 }
const log = () => ({ debug: vi.fn(), info: vi.fn(), warn: vi.fn(), error: vi.fn() })

describe.each([
  { name: 'mosquitto', create: mosquittoBroker },
  { name: 'aedes', create: aedesBroker },
])('uplink over $name', ({ create }) => {
  let broker: TestBroker
  let outbox: Outbox
  let central: ScriptedCentral | undefined
  let uplink: Uplink | undefined
  let logged: ReturnType<typeof log>

  const makeUplink = (options: { ackTimeoutMs?: number; window?: number } = {}): Uplink => {
    logged = log()
    uplink = createUplink({
      address,
      version: '0.1.0',
      outbox,
      broker: { url: `mqtt://127.0.0.1:${broker.port}`, username: undefined, password: undefined, caFile: undefined },
      createLink: createMqttJsLink,
      log: logged,
      // Sending again is what some tests are about; in the others a busy machine must not cause it.
      ackTimeoutMs: 60_000,
      ...options,
    })
    return uplink
  }
  const size = async () => (await outbox.status()).size

  beforeEach(async () => {
    broker = await create()
    outbox = createMemoryOutbox({ siteId: 'an-cuu', maxRows: 100_000 })
  })
  afterEach(async () => {
    await uplink?.stop()
    await outbox.close()
    await central?.close()
    await broker.close()
    uplink = undefined
    central = undefined
  })

  it('delivers in seq order and empties the outbox when central acknowledges', async () => {
    await broker.start()
    central = await connectCentral(broker.port, address)
    await outbox.append(records(500))
    await makeUplink().start()
    await vi.waitFor(async () => expect(await size()).toBe(0), soon)
    expect(central.received).toEqual(seqs(1, 500))
    await outbox.append(records(10))
    uplink?.wake()
    await vi.waitFor(async () => expect(await size()).toBe(0), soon)
    expect(central.received).toEqual(seqs(1, 510))
  })

  it('keeps every message until central has acknowledged it, whatever the broker says', async () => {
    await broker.start()
    central = await connectCentral(broker.port, address)
    central.acks = false
    await outbox.append(records(50))
    await makeUplink().start()
    await vi.waitFor(() => expect(central?.received).toHaveLength(50), soon)
    expect(await size()).toBe(50)
  })

  it('sends no more than its window ahead of the acks', async () => {
    await broker.start()
    central = await connectCentral(broker.port, address)
    central.acks = false
    await outbox.append(records(2000))
    await makeUplink({ window: 2 }).start()
    await vi.waitFor(() => expect(central?.received).toHaveLength(400), soon)
    await central.publish('ack', { epoch: (await outbox.status()).epoch, seq: 200 })
    await vi.waitFor(() => expect(central?.received).toHaveLength(600), soon)
    expect(uplink?.status().inFlightBatches).toBe(2)
  })

  it('sends again after the last ack when acks stay away', async () => {
    await broker.start()
    central = await connectCentral(broker.port, address)
    central.acks = false
    await outbox.append(records(5))
    await makeUplink({ ackTimeoutMs: 300 }).start()
    await vi.waitFor(() => expect(central?.received.length).toBeGreaterThanOrEqual(10), soon)
    expect(central.received.slice(0, 10)).toEqual([...seqs(1, 5), ...seqs(1, 5)])
    central.acks = true
    await vi.waitFor(async () => expect(await size()).toBe(0), soon)
    expect(uplink?.status().rewinds).toBeGreaterThan(0)
  })

  it('takes a retained ack on connecting and does not send what central has', async () => {
    await broker.start()
    central = await connectCentral(broker.port, address)
    central.acks = false
    await outbox.append(records(300))
    const { epoch } = await outbox.status()
    await central.publish('ack', { epoch, seq: 250 })
    await makeUplink().start()
    await vi.waitFor(async () => expect(await size()).toBe(50), soon)
    await vi.waitFor(() => expect(central?.received).toContain(300), soon)
    expect((await outbox.status()).oldestSeq).toBe(251)
  })

  it('sends nothing before central has said where it stands, and then from there', async () => {
    await broker.start()
    central = await connectCentral(broker.port, address)
    central.greets = false
    central.acks = false
    await outbox.append(records(3))
    const { epoch } = await outbox.status()
    await makeUplink().start()
    await vi.waitFor(() => expect(central?.states.at(-1)).toMatchObject({ status: 'online' }), soon)
    await central.publish('desired', { version: 1, at: '2026-10-27T03:04:05.678Z', config: {} })
    await pause(300)
    expect(central.received).toEqual([])
    await central.publish('ack', { epoch, seq: 0 })
    await vi.waitFor(() => expect(central?.received).toEqual(seqs(1, 3)), soon)
  })

  it('takes acks that waited for it one by one before it sends: an old copy has more of them before it', async () => {
    await broker.start()
    central = await connectCentral(broker.port, address)
    central.greets = false
    central.acks = false
    outbox = await openSqliteOutbox({
      file: join(temporaryFolder('uplink'), 'outbox.db'),
      siteId: 'an-cuu',
      maxRows: 100_000,
    })
    await outbox.append(records(60))
    const { epoch } = await outbox.status()
    await makeUplink().start()
    await vi.waitFor(() => expect(central?.states.at(-1)).toMatchObject({ status: 'online' }), soon)
    for (const seq of [10, 20, 30, 40, 50]) await central.publish('ack', { epoch, seq })
    await vi.waitFor(() => expect(central?.received).toEqual(seqs(51, 110)), soon)
    expect(await size()).toBe(60)
  })

  it('sends all the same when central stays silent, and says so', async () => {
    await broker.start()
    central = await connectCentral(broker.port, address)
    central.greets = false
    await outbox.append(records(3))
    await makeUplink({ ackTimeoutMs: 50 }).start()
    await vi.waitFor(async () => expect(await size()).toBe(0), soon)
    expect(central.committed.size).toBe(3)
    expect(logged.warn).toHaveBeenCalledWith({ waitedMs: 400 }, expect.stringContaining('Does its city file name'))
  })

  it('ignores an ack of another epoch', async () => {
    await broker.start()
    central = await connectCentral(broker.port, address)
    central.acks = false
    await outbox.append(records(3))
    await central.publish('ack', { epoch: 1, seq: 1000 })
    await makeUplink().start()
    await vi.waitFor(() => expect(central?.received).toHaveLength(3), soon)
    expect(await size()).toBe(3)
  })

  it('tells central where a batch begins, so that holes from thinning are no gaps', async () => {
    await broker.start()
    central = await connectCentral(broker.port, address)
    outbox = createMemoryOutbox({ siteId: 'an-cuu', maxRows: 1000 })
    await outbox.append(records(1500))
    const { lastSeq } = await outbox.status()
    const held = (await outbox.readAfter(0, 5000)).map(row => row.seq)
    await makeUplink().start()
    await vi.waitFor(async () => expect(await size()).toBe(0), soon)
    expect(central.received.filter(seq => seq <= lastSeq)).toEqual(held)
    expect(uplink?.status().rewinds).toBe(0)
    const [first, second] = central.batches
    expect(first?.afterSeq).toBe(0)
    expect(second?.afterSeq).toBe((first!.envelopes.at(-1) as { seq: number }).seq)
  })

  it('moves what central refuses to the dead letters and delivers the rest', async () => {
    await broker.start()
    central = await connectCentral(broker.port, address)
    central.poison.add(3)
    await outbox.append(records(6))
    await makeUplink().start()
    await vi.waitFor(async () => expect(await size()).toBe(0), soon)
    expect(await outbox.status()).toMatchObject({ deadLetters: 1, acked: 5 })
    expect((await outbox.deadLetters(10))[0]?.envelope.seq).toBe(3)
    expect(central.received.filter(seq => seq === 3)).toHaveLength(1)
  })

  it('keeps batches below 256 KB', async () => {
    await broker.start()
    central = await connectCentral(broker.port, address)
    const big: OutboxRecord = {
      cameraId: 'le-loi-1',
      type: 'event.v1',
      data: { ...eventEnvelopeExample.data, geometry: { label: 'x'.repeat(60_000) } },
    }
    await outbox.append(Array.from({ length: 12 }, () => big))
    await makeUplink().start()
    await vi.waitFor(async () => expect(await size()).toBe(0), soon)
    expect(central.received).toEqual(seqs(1, 12))
    expect(central.batches.map(batch => batch.envelopes.length)).toEqual([4, 4, 4])
  })

  it('keeps trying when the broker is away at start, says so once, and delivers when it comes', async () => {
    await outbox.append(records(20))
    await makeUplink().start()
    await vi.waitFor(() => expect(logged.warn).toHaveBeenCalled(), soon)
    await new Promise(resolve => setTimeout(resolve, 1500))
    expect(logged.warn).toHaveBeenCalledTimes(1)
    expect(uplink?.status()).toMatchObject({
      isConnected: false,
      problem: { hint: expect.stringContaining('mqtt.url') },
    })
    await broker.start()
    central = await connectCentral(broker.port, address)
    await vi.waitFor(async () => expect(await size()).toBe(0), soon)
    expect(central.committed.size).toBe(20)
  })

  it('loses and alters nothing when the broker is killed and started again', async () => {
    await broker.start()
    central = await connectCentral(broker.port, address)
    await makeUplink({ ackTimeoutMs: 300 }).start()
    for (let round = 0; round < 4; round++) {
      await vi.waitFor(() => expect(uplink?.status().isConnected).toBe(true), soon)
      for (let burst = 0; burst < 10; burst++) {
        await outbox.append(records(30))
        uplink?.wake()
        if (burst === 5) await broker.kill()
      }
      await broker.start()
    }
    await vi.waitFor(async () => expect(await size()).toBe(0), soon)
    expect([...central.committed.keys()].sort((a, b) => a - b)).toEqual(seqs(1, 1200))
  })

  it('says online with its epoch on every connection, and its will says offline', async () => {
    await broker.start()
    central = await connectCentral(broker.port, address)
    const { epoch } = await outbox.status()
    await makeUplink().start()
    await vi.waitFor(() => expect(central?.states.at(-1)).toMatchObject({ status: 'online', epoch }), soon)
    await broker.kill()
    await vi.waitFor(() => expect(uplink?.status().isConnected).toBe(false), soon)
    const restartedAt = new Date().toISOString()
    await broker.start()
    // The first connection's state may come once more, from the broker's store; only a later one is of the second.
    await vi.waitFor(() => {
      const last = central?.states.at(-1)
      expect(last).toMatchObject({ status: 'online', epoch })
      expect(last && last.at >= restartedAt).toBe(true)
    }, soon)
    await uplink?.stop()
    await vi.waitFor(() => expect(central?.states.at(-1)).toMatchObject({ status: 'offline', epoch }), soon)
  })

  it('publishes what it runs on connecting, and takes the settings central wants', async () => {
    await broker.start()
    central = await connectCentral(broker.port, address)
    const desired = { version: 4, at: '2026-10-27T03:04:05.678Z', config: {} }
    await central.publish('desired', desired)
    const taken = vi.fn()
    makeUplink().onDesired(taken)
    uplink?.onReport(() => reportedExample)
    await uplink?.start()
    await vi.waitFor(() => expect(taken).toHaveBeenCalledWith(desired), soon)
    await vi.waitFor(() => expect(central?.reported).toEqual([reportedExample]), soon)
  })

  it('carries out a command once and replies, also to one that fails or is out of date', async () => {
    await broker.start()
    central = await connectCentral(broker.port, address)
    const handle = vi.fn(async ({ name }: { name: string }) => {
      if (name === 'drain') throw new Error('cannot drain now')
      return { sha256: 'abc' }
    })
    makeUplink().onCommand(handle)
    await uplink?.start()
    await vi.waitFor(() => expect(uplink?.status().isConnected).toBe(true), soon)
    const command = { ...commandExample, at: new Date().toISOString() }
    const [first, second, third] = ['1', '2', '3'].map(last => `019a2f3c-5b7e-7c11-9d0a-0c3f5a1b2c3${last}`)
    await central.command('snapshot', { ...command, commandId: first })
    await central.command('snapshot', { ...command, commandId: first })
    await central.command('drain', { ...command, commandId: second })
    await central.command('reload', { ...command, commandId: third, at: '2020-01-01T00:00:00.000Z' })
    await vi.waitFor(() => expect(central?.replies).toHaveLength(3), soon)
    expect(central.replies).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ commandId: first, ok: true, result: { sha256: 'abc' } }),
        expect.objectContaining({
          commandId: second,
          ok: false,
          problem: expect.objectContaining({ detail: 'cannot drain now' }),
        }),
        expect.objectContaining({ commandId: third, ok: false, problem: expect.objectContaining({ status: 410 }) }),
      ]),
    )
    expect(handle).toHaveBeenCalledTimes(2)
  })

  it('ignores messages that cannot be read', async () => {
    await broker.start()
    central = await connectCentral(broker.port, address)
    await outbox.append(records(2))
    await central.client.publishAsync('watchpost/v1/an-cuu/an-cuu-1/ack', 'not json', { qos: 1 })
    await central.publish('nack', { epoch: 'yesterday' })
    await makeUplink().start()
    await vi.waitFor(async () => expect(await size()).toBe(0), soon)
  })

  it('publishes health only while connected, so that nothing piles up', async () => {
    makeUplink()
    for (let count = 0; count < 100; count++) uplink?.publishHealth(healthExample)
    await broker.start()
    central = await connectCentral(broker.port, address)
    await uplink?.start()
    await vi.waitFor(() => expect(uplink?.status().isConnected).toBe(true), soon)
    uplink?.publishHealth(healthExample)
    await vi.waitFor(() => expect(central?.health).toHaveLength(1), soon)
  })
})
