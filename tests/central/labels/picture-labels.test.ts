import { type Event, eventExample } from '@watchpost/shared/contracts/event'
import type { Box } from '@watchpost/shared/contracts/primitives'
import { describe, expect, it } from 'vitest'
import type { JudgedEvent, StoredVerdict } from '../../../central/incidents/verdict-store.js'
import { labelPicture } from '../../../central/labels/picture-labels.js'

const sha256 = eventExample.evidence[0]!.sha256
const box: Box = [0.1, 0.2, 0.3, 0.4]
const drawn = (label: string, at: Box = box) => ({ label, box: at })
let number = 0
const judged = (verdict: Partial<StoredVerdict>, event: Partial<Event> = {}): JudgedEvent => ({
  number: ++number,
  incidentId: 'i',
  cameraId: 'le-loi-1',
  phenomenonAt: 0,
  event: { ...eventExample, kind: 'forest-fire', geometry: { box, label: 'smoke' }, ...event },
  verdict: {
    eventId: `e${number}`,
    value: 'true',
    by: 'lan',
    at: 0,
    note: null,
    pictureSha256: sha256,
    boxes: null,
    ...verdict,
  },
})

describe('labels of a picture', () => {
  it('are the model’s own box when a true event was not corrected', () => {
    expect(labelPicture([judged({})])).toMatchObject({
      sha256,
      boxes: [{ label: 'smoke', box, source: 'model' }],
      hardNegative: false,
      absent: [],
      present: [],
    })
  })

  it('are what the reviewer drew when they drew', () => {
    const { boxes } = labelPicture([judged({ boxes: [drawn('flame'), drawn('smoke', [0.5, 0.5, 0.1, 0.1])] })])
    expect(boxes).toMatchObject([{ label: 'flame', source: 'reviewer' }, { label: 'smoke' }])
  })

  it('of a false alarm are none, and say what is not there', () => {
    expect(labelPicture([judged({ value: 'false' })])).toMatchObject({
      boxes: [],
      hardNegative: true,
      absent: ['smoke', 'flame'],
    })
  })

  it('of a false traffic violation do not deny the vehicle', () => {
    const { hardNegative, absent } = labelPicture([judged({ value: 'false' }, { kind: 'red-light' })])
    expect({ hardNegative, absent }).toEqual({ hardNegative: true, absent: [] })
  })

  it('of a false alarm with a drawn box hold the box', () => {
    const found = labelPicture([judged({ value: 'false', boxes: [drawn('flame')] })])
    expect(found).toMatchObject({ boxes: [{ label: 'flame' }], hardNegative: false, absent: ['smoke'] })
  })

  it('of a true event without any box only say that it is in there somewhere', () => {
    const flood = { kind: 'flood-level', geometry: { label: 'water' } } as const
    expect(labelPicture([judged({}, flood)])).toMatchObject({ boxes: [], present: ['water'], hardNegative: false })
  })

  it('of a true event that were corrected to nothing say that nothing is in this picture', () => {
    expect(labelPicture([judged({ boxes: [] })])).toMatchObject({ hardNegative: true, absent: ['smoke', 'flame'] })
  })

  it('of several events stand together, the same box once, and what is there is not absent', () => {
    const both = [judged({}), judged({}), judged({ value: 'false' }, { kind: 'urban-fire' })]
    expect(labelPicture(both)).toMatchObject({
      boxes: [{ label: 'smoke' }],
      sameBoxes: 1,
      hardNegative: false,
      absent: ['flame'],
    })
  })

  it('never reach beyond the picture', () => {
    const { boxes } = labelPicture([judged({}, { geometry: { box: [0.9, 0.5, 0.2, 0.5], label: 'smoke' } })])
    expect(boxes[0]!.box[0] + boxes[0]!.box[2]).toBeLessThanOrEqual(1)
  })
})
