import { eventExample } from '@watchpost/shared/contracts/event'
import { describe, expect, it } from 'vitest'
import { momentPicture, pictureLabels } from '../../../../central/incidents/engine/verdict-boxes.js'

const [at, before] = ['a'.repeat(64), 'b'.repeat(64)]
const picture = { ...eventExample.evidence[0]!, role: 'at' as const, sha256: at }
const clip = { ...picture, role: 'clip' as const, mediaType: 'video/mp4' as const, sha256: 'c'.repeat(64) }
const event = { evidence: [clip, { ...picture, role: 'before' as const, sha256: before }, picture] }
const boxed = (...box: [number, number, number, number]) => ({ value: 'true' as const, boxes: [{ label: 'car', box }] })

describe('boxes of a verdict', () => {
  it('belong to the picture of the moment unless another one is named', () => {
    expect(momentPicture(event)).toBe(at)
    expect(momentPicture({ evidence: [clip] })).toBeNull()
    expect(pictureLabels(event, boxed(0, 0, 1, 1))).toMatchObject({ ok: true, pictureSha256: at })
    expect(pictureLabels(event, { ...boxed(0, 0, 1, 1), picture: before })).toMatchObject({ pictureSha256: before })
  })

  it('are null when nothing was corrected, and empty when nothing is there', () => {
    expect(pictureLabels(event, { value: 'true' })).toEqual({ ok: true, pictureSha256: at, boxes: null })
    expect(pictureLabels(event, { value: 'false', boxes: [] })).toEqual({ ok: true, pictureSha256: at, boxes: [] })
    expect(pictureLabels({ evidence: [] }, { value: 'true' })).toMatchObject({ ok: true, pictureSha256: null })
  })

  it.each([
    ['a box beyond the right edge', boxed(0.6, 0, 0.5, 0.1), 'boxes/0/box'],
    ['a box beyond the bottom', boxed(0, 0.9, 0.5, 0.2), 'boxes/0/box'],
    ['a box without width', boxed(0.1, 0.1, 0, 0.5), 'boxes/0/box'],
    ['a picture of another event', { ...boxed(0, 0, 1, 1), picture: 'd'.repeat(64) }, 'picture'],
    ['a clip', { ...boxed(0, 0, 1, 1), picture: clip.sha256 }, 'picture'],
    ['a picture without boxes', { value: 'true' as const, picture: at }, 'picture'],
  ])('refuse %s', (_what, body, path) => {
    expect(pictureLabels(event, body)).toMatchObject({ ok: false, path, hint: expect.any(String) })
  })

  it('refuse to be drawn on an event without a picture', () => {
    expect(pictureLabels({ evidence: [clip] }, boxed(0, 0, 1, 1))).toMatchObject({ ok: false, path: 'boxes' })
  })
})
