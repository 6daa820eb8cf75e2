import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createCommitMessages } from '../../../central/ingest/log/commit-messages.js'
import { openLog } from '../../../central/ingest/log/open-log.js'
import { createReadRecords } from '../../../central/ingest/log/read-records.js'
import { createStreamStore } from '../../../central/ingest/log/stream-store.js'
import { createTrimLog } from '../../../central/ingest/log/trim-log.js'
import { address, observation } from './producer.js'

const epoch = 1_793_070_000_000
let directory: string
let log: ReturnType<typeof open>

const open = () => {
  const db = openLog(join(directory, 'log.sqlite'))
  const streams = createStreamStore(db)
  return {
    db,
    streams,
    commit: createCommitMessages(db, streams),
    read: createReadRecords(db),
    trim: createTrimLog(db),
  }
}
const append = (seq: number, receivedAt: number) =>
  log.commit([
    {
      ...address,
      receivedAt,
      payload: Buffer.from(JSON.stringify({ epoch, oldestSeq: 1, envelopes: [observation(epoch, seq)] })),
    },
  ])
let tip = 1000
/** Trimming is for what all have applied, so a run that was read before may still be kept: another tip reads anew. */
const positions = () => log.read(0, 100, tip++).map(({ position }) => position)

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'trim-'))
  log = open()
})
afterEach(() => {
  log.db.close()
  rmSync(directory, { recursive: true })
})

describe('trimming the log', () => {
  it('keeps what a consumer has not applied and what is young', () => {
    for (const seq of [1, 2, 3, 4, 5]) append(seq, seq * 1000)
    log.trim(4, 3500)
    expect(positions()).toEqual([4, 5])
    log.trim(4, 9000)
    expect(positions()).toEqual([5])
  })

  it('never uses a position again and still knows what was there', () => {
    for (const seq of [1, 2, 3]) append(seq, 1000)
    log.trim(3, 5000)
    expect(positions()).toEqual([])
    log.db.close()
    log = open()
    expect(append(4, 6000).tip).toBe(4)
    expect(append(2, 6000).counts).toMatchObject({ committed: 0, duplicates: 1 })
    expect(log.streams.ledgerOf('an-cuu-1')?.epochs[0]).toMatchObject({ received: 4, ackedSeq: 4, duplicates: 1 })
  })
})

describe('reading the log', () => {
  it('sees what was committed since, also after a run with holes', () => {
    for (const seq of [1, 2, 3, 4, 5, 6]) append(seq, 1000)
    log.db.prepare('DELETE FROM log WHERE position IN (2, 3)').run()
    const read = (after: number, until: number) => log.read(after, 4, until).map(({ position }) => position)
    expect(read(0, 4)).toEqual([1, 4])
    expect(read(0, 5)).toEqual([1, 4, 5])
    expect(read(0, 6)).toEqual([1, 4, 5, 6])
    expect(read(4, 6)).toEqual([5, 6])
    append(7, 1000)
    expect(read(4, 7)).toEqual([5, 6, 7])
  })
})
