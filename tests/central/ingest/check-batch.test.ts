import { batchExample, eventEnvelopeExample, observationEnvelopeExample } from '@watchpost/shared/contracts/envelope'
import { describe, expect, it } from 'vitest'
import { checkBatch } from '../../../central/ingest/check-batch.js'

const check = (batch: unknown) =>
  checkBatch('an-cuu', Buffer.from(typeof batch === 'string' ? batch : JSON.stringify(batch)))
const withEnvelope = (change: object) => ({
  ...batchExample,
  envelopes: [observationEnvelopeExample, { ...eventEnvelopeExample, ...change }],
})

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

  it('says where a message is wrong', () => {
    const checked = check(withEnvelope({ data: { ...eventEnvelopeExample.data, confidence: 2 } }))
    expect(checked).toMatchObject({ refused: [{ detail: expect.stringContaining('/data/confidence') }] })
  })
})
