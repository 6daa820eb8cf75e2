import type { CocoDocument } from '@watchpost/shared/api/labels'
import type { Categories } from './categories.js'
import type { PictureLabels } from './picture-labels.js'

export interface PixelSize {
  readonly width: number
  readonly height: number
}
type CocoImage = CocoDocument['images'][number]
type CocoAnnotation = CocoDocument['annotations'][number]

/** The name of a picture in every export: its address, so that the same picture is the same file everywhere. */
export const fileName = (sha256: string): string => `${sha256}.jpg`

export const cocoImage = (id: number, labels: PictureLabels, { width, height }: PixelSize): CocoImage => ({
  id,
  file_name: fileName(labels.sha256),
  width,
  height,
  date_captured: labels.takenAt,
  sha256: labels.sha256,
  camera: labels.cameraId,
  hardNegative: labels.hardNegative,
  absent: [...labels.absent],
  present: [...labels.present],
  // Who judged stays at central: a training set is no place for names.
  events: labels.events.map(({ number, verdict, event }) => ({
    eventId: verdict.eventId,
    kind: event.kind,
    verdict: verdict.value,
    verdictNumber: number,
    confidence: event.confidence,
    model: event.model ? { id: event.model.id, version: event.model.version } : null,
    region: event.geometry?.region ?? null,
  })),
})

export const cocoAnnotations = (
  imageId: number,
  firstId: number,
  labels: PictureLabels,
  { width, height }: PixelSize,
  categories: Categories,
): readonly CocoAnnotation[] =>
  labels.boxes.map(({ label, box, source, eventId }, index) => {
    const bbox = [box[0] * width, box[1] * height, box[2] * width, box[3] * height].map(hundredths)
    const [left, top, across, down] = bbox as CocoAnnotation['bbox']
    return {
      id: firstId + index,
      image_id: imageId,
      category_id: categories.numberOf(label),
      bbox: [left, top, across, down],
      area: hundredths(across * down),
      iscrowd: 0,
      segmentation: [],
      source,
      eventId,
    }
  })

/** `class centre-x centre-y width height`, 0..1, a line per box; classes count from 0. Empty: nothing is there. */
export const yoloLines = ({ boxes }: PictureLabels, categories: Categories): string =>
  boxes
    .map(({ label, box: [x, y, width, height] }) => {
      const numbers = [x + width / 2, y + height / 2, width, height].map(value => value.toFixed(6))
      return `${categories.numberOf(label) - 1} ${numbers.join(' ')}\n`
    })
    .join('')

export const yoloNames = (categories: Categories): string =>
  categories
    .all()
    .map(({ name }) => `${name}\n`)
    .join('')

/** A hundredth of a pixel is finer than any hand. */
const hundredths = (value: number): number => Math.round(value * 100) / 100
