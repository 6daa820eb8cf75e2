import { type Event, eventExample } from '@watchpost/shared/contracts/event'
import type { Box } from '@watchpost/shared/contracts/primitives'
import { describe, expect, it } from 'vitest'
import type { JudgedEvent, StoredVerdict } from '../../../central/incidents/verdict-store.js'
import { labelPicture } from '../../../central/labels/picture-labels.js'

const sha256 = eventExample.evidence[0]!.sha256
const box: Box = [0.1, 0.2, 0.3, 0.4]
const drawn = (label: string, at: Box = box) => ({ label, box: at })
const nothingSaid = { boxes: [], present: [], absent: [], hardNegative: false }
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
    for (const boxes of [null, []])
      expect(labelPicture([judged({ value: 'false', boxes }, { kind: 'red-light' })])).toMatchObject(nothingSaid)
  })

  it('of a false level do not deny the water: only a reviewer who says that none is there does', () => {
    const flood = { kind: 'flood-level', geometry: { label: 'water' } } as const
    expect(labelPicture([judged({ value: 'false' }, flood)])).toMatchObject(nothingSaid)
    const dry = labelPicture([judged({ value: 'false', boxes: [] }, flood)])
    expect(dry).toMatchObject({ hardNegative: true, absent: ['water'] })
  })

  it('are not what the model saw a second before the picture', () => {
    const evidence = [{ ...eventExample.evidence[0]!, role: 'after' as const }]
    expect(labelPicture([judged({}, { evidence })])).toMatchObject({ boxes: [], present: ['smoke'], absent: [] })
    const drawnAfter = labelPicture([judged({ boxes: [drawn('smoke')] }, { evidence })])
    expect(drawnAfter).toMatchObject({ boxes: [{ source: 'reviewer' }], present: [] })
    const snapshot = [{ ...evidence[0]!, role: 'snapshot' as const }]
    expect(labelPicture([judged({}, { evidence: snapshot })]).boxes).toHaveLength(1)
  })

  it('deny nothing of which another reviewer is unsure', () => {
    const unsure = judged({ value: 'unsure' }, { kind: 'urban-fire', geometry: { label: 'smoke' } })
    expect(labelPicture([judged({ value: 'false' }), unsure])).toMatchObject(nothingSaid)
    const flood = judged({ value: 'false', boxes: [] }, { kind: 'flood-level' })
    expect(labelPicture([flood, unsure])).toMatchObject({ absent: ['water'], present: [], boxes: [] })
    expect(labelPicture([judged({}), unsure])).toMatchObject({ boxes: [{ label: 'smoke' }], absent: [] })
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
