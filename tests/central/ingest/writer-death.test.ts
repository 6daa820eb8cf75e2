import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { topicOf } from '@watchpost/shared/topics'
import Database from 'better-sqlite3'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { createIngest } from '../../../central/ingest/create-ingest.js'
import { address, observation } from './producer.js'

let directory: string
let file: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'writer-death-'))
  file = join(directory, 'log.sqlite')
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const open = (onFatal: (reason: Error) => void, metrics = new Registry()) =>
  createIngest({
    file,
    keepMs: 86_400_000,
    publish: async () => undefined,
    isKnown: () => true,
    noteUnknown: () => undefined,
    onStatus: () => undefined,
    log: pino({ level: 'silent' }),
    metrics,
    onFatal,
  })

it('tells why the writer thread ended, once, takes nothing more, and stops at once', async () => {
  const reasons: string[] = []
  const metrics = new Registry()
  let died = (): void => undefined
  const dead = new Promise<void>(resolve => {
    died = resolve
  })
  const ingest = open(reason => {
    reasons.push(reason.message)
    died()
  }, metrics)
  await ingest.start()
  const other = new Database(file)
  other.exec('DROP TABLE stream')
  other.close()
  await expect(ingest.ledger('an-cuu-1')).rejects.toThrow('no such table: stream')
  await dead
  await expect(ingest.ledger('an-cuu-1')).rejects.toThrow('no such table: stream')
  expect(ingest.storage()?.reason).toContain('no such table: stream')
  const batch = JSON.stringify({ epoch: 1, oldestSeq: 1, envelopes: [observation(1, 1)] })
  void ingest.take(topicOf(address, 'data'), Buffer.from(batch))
  const dropped = await metrics.getSingleMetric('watchpost_ingest_dropped_total')!.get()
  expect(dropped.values).toMatchObject([{ value: 1, labels: { reason: 'storage-failed' } }])
  await ingest.stop()
  expect(reasons).toEqual(['no such table: stream'])
})

it('says why a log cannot be opened', async () => {
  writeFileSync(
    file,
    'something else, and longer than the header of a database, which would be a hundred bytes'.repeat(9),
  )
  const ingest = open(() => undefined)
  await expect(ingest.start()).rejects.toThrow('file is not a database')
  await ingest.stop()
})
