import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { topicOf } from '@watchpost/shared/topics'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { describe, expect, it } from 'vitest'
import { createIngest } from '../../../central/ingest/create-ingest.js'
import { until } from '../../helpers/server-process.js'
import { mountSmallDisk } from '../../helpers/small-disk.js'
import { judge } from './oracle.js'
import { address, observation } from './producer.js'

const epoch = 1_793_070_000_000

describe('ingest on a full disk', () => {
  it('acknowledges nothing it could not store, says why, and goes on when there is room again', async ({ skip }) => {
    const disk = mountSmallDisk(4096)
    if ('reason' in disk) return skip(disk.reason)
    const { path } = disk
    const file = join(path, 'log.sqlite')
    const acks: number[] = []
    const metrics = new Registry()
    const ingest = createIngest({
      file,
      keepMs: 86_400_000,
      publish: async (topic, payload) => void (topic.endsWith('/ack') && acks.push(JSON.parse(payload).seq)),
      isKnown: () => true,
      noteUnknown: () => undefined,
      onStatus: () => undefined,
      log: pino({ level: 'silent' }),
      metrics,
      onFatal: reason => {
        throw reason
      },
    })
    await ingest.start()
    const claimed = Array.from({ length: 400 }, (_, index) => observation(epoch, index + 1))
    const send = async (from: number, to: number) =>
      ingest.take(
        topicOf(address, 'data'),
        Buffer.from(JSON.stringify({ epoch, oldestSeq: 1, envelopes: claimed.slice(from, to) })),
      )
    await send(0, 100)
    await until('the first are acknowledged', () => acks.at(-1) === 100)

    expect(() => writeFileSync(join(path, 'filler'), Buffer.alloc(8_000_000))).toThrow('ENOSPC')
    await send(100, 400)
    await until('it is in trouble', () => ingest.storage() !== null)
    expect(ingest.storage()?.reason).toContain('free space on the volume of dataDir')
    expect(acks.at(-1)).toBe(100)
    const dropped = await metrics.getSingleMetric('watchpost_ingest_dropped_total')!.get()
    expect(dropped.values).toMatchObject([{ value: 1, labels: { reason: 'storage-failed' } }])
    expect((await ingest.ledger('an-cuu-1'))?.epochs[0]).toMatchObject({ received: 100, duplicates: 0 })

    rmSync(join(path, 'filler'))
    await send(100, 400)
    await until('the rest is acknowledged', () => acks.at(-1) === 400)
    expect(ingest.storage()).toBeNull()
    await ingest.stop()
    expect(judge(file, claimed)).toEqual({ lost: 0, doubled: 0, foreign: 0 })
  })
})
