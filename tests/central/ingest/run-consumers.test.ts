import { observationEnvelopeExample } from '@watchpost/shared/contracts/envelope'
import { afterEach, describe, expect, it } from 'vitest'
import type { CommittedRecord } from '../../../central/ingest/committed-record.js'
import type { ConsumerStatus } from '../../../central/ingest/ingest.js'
import { type Consumers, createConsumers } from '../../../central/ingest/run-consumers.js'
import { until } from '../../helpers/server-process.js'

const record = (position: number): CommittedRecord => ({
  position,
  siteId: 'an-cuu',
  agentId: 'an-cuu-1',
  cameraId: 'le-loi-1',
  receivedAt: 0,
  envelope: observationEnvelopeExample,
})

/** A log with holes, as rolled back transactions leave them. */
const positions = Array.from({ length: 100 }, (_, index) => index + 1).filter(position => position % 7 !== 0)
const cursors = new Map<string, number>()
const troubles: ConsumerStatus[] = []
const recovered: string[] = []
let consumers: Consumers

const create = () => {
  consumers = createConsumers({
    read: (after, limit, tip) =>
      positions
        .filter(each => each > after && each <= tip)
        .slice(0, limit)
        .map(record),
    saveCursor: (name, position) => cursors.set(name, position),
    onTrouble: status => troubles.push(status),
    onRecovered: name => recovered.push(name),
    firstWaitMs: 1,
    longestWaitMs: 4,
    runLength: 10,
  })
}
afterEach(async () => {
  await consumers.stop()
  cursors.clear()
  troubles.length = 0
  recovered.length = 0
})

describe('createConsumers', () => {
  it('hands over every record once, in order, and stops at the tip', async () => {
    create()
    const seen: number[] = []
    consumers.add('a', async records => void seen.push(...records.map(({ position }) => position)))
    consumers.start({}, 50)
    await until('the tip is reached', () => cursors.get('a') === 50)
    expect(seen).toEqual(positions.filter(position => position <= 50))
    consumers.advance(100)
    await until('the new tip is reached', () => cursors.get('a') === 100)
    expect(seen).toEqual(positions)
    expect(consumers.status()).toEqual([{ name: 'a', position: 100, lag: 0, failing: null }])
  })

  it('resumes after the last run that was applied', async () => {
    create()
    const seen: number[] = []
    consumers.add('a', async records => void seen.push(...records.map(({ position }) => position)))
    consumers.start({ a: 61, gone: 3 }, 100)
    await until('the tip is reached', () => cursors.get('a') === 100)
    expect(seen).toEqual(positions.filter(position => position > 61))
  })

  it('gives the same run again until the consumer takes it, and tells of trouble and recovery', async () => {
    create()
    const given: number[][] = []
    consumers.add('a', async records => {
      given.push(records.map(({ position }) => position))
      if (given.length <= 3) throw new Error('database is away')
    })
    consumers.start({}, 20)
    await until('it has recovered', () => cursors.get('a') === 20)
    expect(given.slice(0, 4)).toEqual(Array(4).fill(positions.slice(0, 10)))
    expect(troubles.map(({ failing }) => failing)).toMatchObject(
      [1, 2, 3].map(attempts => ({ attempts, reason: 'database is away' })),
    )
    expect(recovered).toEqual(['a'])
  })

  it('lets no slow or failing consumer hold up another', async () => {
    create()
    let finish = (): void => undefined
    consumers.add(
      'stuck',
      () =>
        new Promise<void>(resolve => {
          finish = resolve
        }),
    )
    consumers.add('failing', () => Promise.reject(new Error('never')))
    consumers.add('fine', async () => undefined)
    consumers.start({}, 100)
    await until('the fine one is done', () => cursors.get('fine') === 100)
    expect(consumers.status().map(({ name, lag }) => [name, lag])).toEqual([
      ['stuck', 100],
      ['failing', 100],
      ['fine', 0],
    ])
    expect(consumers.appliedByAll()).toBe(0)
    finish()
  })

  it('finishes the run it is in when it stops, and begins no other', async () => {
    create()
    const runs: number[] = []
    let finish = (): void => undefined
    consumers.add(
      'a',
      records =>
        new Promise<void>(resolve => {
          runs.push(records[0]!.position)
          finish = resolve
        }),
    )
    consumers.start({}, 100)
    await until('it has begun', () => runs.length === 1)
    const stopped = consumers.stop()
    finish()
    await stopped
    expect(runs).toHaveLength(1)
    expect(cursors.get('a')).toBe(positions[9])
  })
})
