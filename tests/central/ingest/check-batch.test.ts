import { batchExample, eventEnvelopeExample, observationEnvelopeExample } from '@watchpost/shared/contracts/envelope'
import { describe, expect, it } from 'vitest'
import { checkBatch } from '../../../central/ingest/check-batch.js'

const check = (batch: unknown) =>
  checkBatch('an-cuu', Buffer.from(typeof batch === 'string' ? batch : JSON.stringify(batch)))
const withEnvelope = (change: object) => ({
  ...batchExample,
  envelopes: [observationEnvelopeExample, { ...eventEnvelopeExample, ...change }],
})

const eventOf = (change: object) => ({ ...eventEnvelopeExample.data, ...change })
const picture = (takenAt: string) => ({ ...eventEnvelopeExample.data.evidence[0], takenAt })
/** JSON text; such a value can be read, but not written again. */
const deep = '['.repeat(100_000) + ']'.repeat(100_000)

describe('checkBatch', () => {
  it('takes the example', () => {
    expect(check(batchExample)).toMatchObject({
      epoch: batchExample.epoch,
      oldestSeq: 41,
      accepted: [{ cameraId: 'le-loi-1' }, { cameraId: 'le-loi-1' }],
      refused: [],
      span: { lowestSeq: 41, highestSeq: 42 },
    })
  })

  it.each([
    ['not JSON', '{"epoch": 1'],
    ['empty', ''],
    ['binary', Buffer.from([0xff, 0xfe, 0x00]).toString('latin1')],
    ['null', 'null'],
    ['a list', '[]'],
    ['text', '"data"'],
    ['without envelopes', { epoch: 1, oldestSeq: 1, envelopes: [] }],
    ['of more than 1,000 envelopes', { ...batchExample, envelopes: Array(1001).fill(eventEnvelopeExample) }],
    ['with a negative epoch', { ...batchExample, epoch: -1 }],
    ['with a fractional oldestSeq', { ...batchExample, oldestSeq: 1.5 }],
    ['with a key nobody knows', { ...batchExample, extra: true }],
  ])('refuses a batch that is %s as a whole', (_, batch) => {
    expect(check(batch)).toMatchObject({ malformed: { reason: 'malformed-batch', detail: expect.any(String) } })
  })

  it.each([
    ['of an unknown type', { type: 'event.v9' }, 'unknown-type', 42],
    ['of a type inherited by every object', { type: 'constructor' }, 'unknown-type', 42],
    ['without data', { data: undefined }, 'invalid-message', 42],
    ['with an unknown key', { colour: 'red' }, 'invalid-message', 42],
    ['with local time', { time: '2026-10-27T10:04:05+07:00' }, 'invalid-message', 42],
    ['of a leap second', { time: '2026-12-31T23:59:60.000Z' }, 'invalid-message', 42],
    [
      'of an event in month 13',
      { data: eventOf({ phenomenonTime: '2026-13-01T00:00:00.000Z' }) },
      'invalid-message',
      42,
    ],
    [
      'with a picture taken at 24:00',
      { data: eventOf({ evidence: [picture('2026-10-27T24:00:00.000Z')] }) },
      'invalid-message',
      42,
    ],
    [
      'with unknown keys in what was lost',
      { data: eventOf({ lost: [{ fromSeq: 1, toSeq: 2, why: [] }] }) },
      'invalid-message',
      42,
    ],
    ['from a camera of another site', { source: '/sites/kim-long/cameras/le-loi-1' }, 'foreign-source', 42],
    ['of another epoch', { epoch: 5 }, 'foreign-epoch', 42],
    ['without a number', { seq: undefined }, 'invalid-message', undefined],
    ['with a number that is text', { seq: '42' }, 'invalid-message', undefined],
  ])('refuses one message %s and keeps its neighbour', (_, change, reason, seq) => {
    const checked = check(withEnvelope(change))
    expect(checked).toMatchObject({
      accepted: [{ envelope: { seq: 41 } }],
      refused: [{ reason, seq, detail: expect.any(String), content: expect.any(String) }],
    })
  })

  it.each([[null], [7], ['text'], [[]]])('refuses %j in the place of a message', given => {
    expect(check({ ...batchExample, envelopes: [given, eventEnvelopeExample] })).toMatchObject({
      accepted: [{ envelope: { seq: 42 } }],
      refused: [{ reason: 'unknown-type' }],
    })
  })

  it.each([
    ['in the place of a message', deep, undefined],
    ['in its data', `{ "seq": 42, "type": "event.v1", "data": ${deep} }`, 42],
    ['as its type', `{ "seq": 42, "type": ${deep} }`, 42],
  ])('refuses what is nested too deeply to be stored %s, and keeps its neighbour', (_, given, seq) => {
    const text = JSON.stringify({ ...batchExample, envelopes: [observationEnvelopeExample, 'deep'] })
    expect(check(text.replace('"deep"', given))).toMatchObject({
      accepted: [{ envelope: { seq: 41 }, content: JSON.stringify(observationEnvelopeExample) }],
      refused: [{ reason: 'invalid-message', seq, detail: expect.stringContaining('too deeply') }],
    })
  })

  it('says where a message is wrong', () => {
    const checked = check(withEnvelope({ data: { ...eventEnvelopeExample.data, confidence: 2 } }))
    expect(checked).toMatchObject({ refused: [{ detail: expect.stringContaining('/data/confidence') }] })
  })
})
