import { absentWhenFalse, boxLabelsByKind } from '@watchpost/shared/api/box-labels'
import type { Box } from '@watchpost/shared/contracts/primitives'
import type { JudgedEvent } from '../incidents/verdict-store.js'

export interface BoxLabel {
  readonly label: string
  readonly box: Box
  readonly source: 'reviewer' | 'model'
  readonly eventId: string
}

/** What all verdicts on one picture say of it together. */
export interface PictureLabels {
  readonly sha256: string
  readonly cameraId: string
  readonly takenAt: string
  readonly boxes: readonly BoxLabel[]
  /** Boxes left out because another event of the picture has the same. */
  readonly sameBoxes: number
  /** Nothing of what was reported is there. */
  readonly hardNegative: boolean
  /** Labels that are surely not in it. */
  readonly absent: readonly string[]
  /** Labels that are in it somewhere, without a box. */
  readonly present: readonly string[]
  readonly events: readonly JudgedEvent[]
}

/** `events`: judged true or false, all about the same picture, at least one. */
export const labelPicture = (events: readonly JudgedEvent[]): PictureLabels => {
  const first = events[0]!
  const sha256 = first.verdict.pictureSha256!
  const all = events.flatMap(boxesOf)
  const boxes = [...new Map(all.map(box => [JSON.stringify([box.label, box.box]), box])).values()]
  const boxed = new Set(boxes.map(({ label }) => label))
  const present = unique(events.filter(isUnboxed).map(usualLabel)).filter(label => !boxed.has(label))
  const absent = unique(events.filter(saysNothingIsThere).flatMap(({ event }) => absentWhenFalse[event.kind]))
  return {
    sha256,
    cameraId: first.cameraId,
    takenAt: first.event.evidence.find(item => item.sha256 === sha256)?.takenAt ?? first.event.phenomenonTime,
    boxes,
    sameBoxes: all.length - boxes.length,
    hardNegative: boxes.length === 0 && present.length === 0,
    absent: absent.filter(label => !boxed.has(label) && !present.includes(label)),
    present,
    events,
  }
}

/** What the reviewer drew, else what the model found of an event that is true. */
const boxesOf = ({ event, verdict }: JudgedEvent): readonly BoxLabel[] => {
  const { eventId, boxes } = verdict
  if (boxes) return boxes.map(({ label, box }) => ({ label, box: inPicture(box), source: 'reviewer', eventId }))
  const found = event.geometry?.box
  if (verdict.value !== 'true' || !found) return []
  const box = inPicture(found)
  if (box[2] === 0 || box[3] === 0) return []
  return [{ label: event.geometry?.label ?? boxLabelsByKind[event.kind][0]!, box, source: 'model', eventId }]
}

const isUnboxed = (judged: JudgedEvent): boolean =>
  judged.verdict.value === 'true' && judged.verdict.boxes === null && boxesOf(judged).length === 0

/** A false alarm, or a picture of a true event of which the reviewer said that nothing is in it (yet, or any more). */
const saysNothingIsThere = ({ verdict }: JudgedEvent): boolean =>
  verdict.value === 'false' || verdict.boxes?.length === 0

const usualLabel = ({ event }: JudgedEvent): string =>
  event.geometry?.label ?? boxLabelsByKind[event.kind][0] ?? event.kind

/** Sides add up to a rounding error beyond the edge; models look a little over it. */
const inPicture = ([x, y, width, height]: Box): Box => [x, y, Math.min(width, 1 - x), Math.min(height, 1 - y)]

const unique = (labels: readonly string[]): string[] => [...new Set(labels)]
