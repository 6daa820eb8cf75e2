import { absentWhenEmptied, absentWhenFalse, boxLabelsByKind } from '@watchpost/shared/api/box-labels'
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
  /** Something that was reported is surely not there, and nothing else is. */
  readonly hardNegative: boolean
  /** Labels that are surely not in it. */
  readonly absent: readonly string[]
  /** Labels that are in it somewhere, without a box. */
  readonly present: readonly string[]
  readonly events: readonly JudgedEvent[]
}

/** `events`: all about the same picture, at least one, judged true or false; what is unsure beside them only denies that anything is surely absent. */
export const labelPicture = (events: readonly JudgedEvent[]): PictureLabels => {
  const first = events[0]!
  const sha256 = first.verdict.pictureSha256!
  const all = events.flatMap(boxesOf)
  const boxes = [...new Map(all.map(box => [JSON.stringify([box.label, box.box]), box])).values()]
  const boxed = new Set(boxes.map(({ label }) => label))
  const present = unique(events.filter(isUnboxed).map(usualLabel)).filter(label => !boxed.has(label))
  const doubted = events.filter(({ verdict }) => verdict.value === 'unsure').flatMap(offeredLabels)
  const notAbsent = new Set([...boxed, ...present, ...doubted])
  const absent = unique(events.flatMap(deniedBy)).filter(label => !notAbsent.has(label))
  return {
    sha256,
    cameraId: first.cameraId,
    takenAt: first.event.evidence.find(item => item.sha256 === sha256)?.takenAt ?? first.event.phenomenonTime,
    boxes,
    sameBoxes: all.length - boxes.length,
    hardNegative: boxes.length === 0 && present.length === 0 && absent.length > 0,
    absent,
    present,
    events,
  }
}

/** What the reviewer drew, else what the model found of an event that is true, on the picture it found it in. */
const boxesOf = ({ event, verdict }: JudgedEvent): readonly BoxLabel[] => {
  const { eventId, boxes, pictureSha256, value } = verdict
  if (value === 'unsure') return []
  if (boxes) return boxes.map(({ label, box }) => ({ label, box: inPicture(box), source: 'reviewer', eventId }))
  const found = event.geometry?.box
  if (value !== 'true' || !found || !isOfMoment(event, pictureSha256)) return []
  const box = inPicture(found)
  if (box[2] === 0 || box[3] === 0) return []
  return [{ label: event.geometry?.label ?? boxLabelsByKind[event.kind][0]!, box, source: 'model', eventId }]
}

const isUnboxed = (judged: JudgedEvent): boolean =>
  judged.verdict.value === 'true' && judged.verdict.boxes === null && boxesOf(judged).length === 0

/** A second before or after, what the model saw is elsewhere. */
const isOfMoment = ({ evidence }: JudgedEvent['event'], pictureSha256: string | null): boolean =>
  evidence.some(({ sha256, role }) => sha256 === pictureSha256 && (role === 'at' || role === 'snapshot'))

/** By a picture of which the reviewer said that nothing is in it (yet, or any more), or by a false alarm. */
const deniedBy = ({ event, verdict }: JudgedEvent): readonly string[] => {
  if (verdict.value === 'unsure') return []
  if (verdict.boxes?.length === 0) return absentWhenEmptied[event.kind]
  return verdict.value === 'false' ? absentWhenFalse[event.kind] : []
}

const offeredLabels = (judged: JudgedEvent): readonly string[] => [
  ...boxLabelsByKind[judged.event.kind],
  usualLabel(judged),
]

const usualLabel = ({ event }: JudgedEvent): string =>
  event.geometry?.label ?? boxLabelsByKind[event.kind][0] ?? event.kind

/** Sides add up to a rounding error beyond the edge; models look a little over it. */
const inPicture = ([x, y, width, height]: Box): Box => [x, y, Math.min(width, 1 - x), Math.min(height, 1 - y)]

const unique = (labels: readonly string[]): string[] => [...new Set(labels)]
