import type { VerdictBody } from '@watchpost/shared/api/incidents'
import type { Event } from '@watchpost/shared/contracts/event'

type Refusal = { readonly ok: false; readonly path: string; readonly message: string; readonly hint: string }

/** What a verdict says of a picture; `boxes` null: nothing was corrected. */
export type PictureLabels =
  | { readonly ok: true; readonly pictureSha256: string | null; readonly boxes: VerdictBody['boxes'] | null }
  | Refusal

/** Smaller is a slip of the hand: at 640 pixels across this is one. */
const smallestSide = 0.0015
/** Sides are added as fractions, so a box at the edge may end a rounding error beyond it. */
const rounding = 1e-6

/** The picture a judgement is about: the one of the moment. */
export const momentPicture = ({ evidence }: Pick<Event, 'evidence'>): string | null => {
  const pictures = evidence.filter(({ mediaType }) => mediaType === 'image/jpeg')
  return (pictures.find(({ role }) => role === 'at' || role === 'snapshot') ?? pictures[0])?.sha256 ?? null
}

export const pictureLabels = (event: Pick<Event, 'evidence'>, { boxes, picture }: VerdictBody): PictureLabels => {
  const pictureSha256 = picture ?? momentPicture(event)
  if (boxes === undefined) {
    return picture === undefined
      ? { ok: true, pictureSha256, boxes: null }
      : refuse('picture', 'A picture is named, but no boxes', 'Send "boxes" with it; [] when nothing is there.')
  }
  if (pictureSha256 === null) {
    return refuse('boxes', 'The event has no picture', 'Judge it without boxes, or wait until its picture is named.')
  }
  if (!event.evidence.some(({ sha256, mediaType }) => sha256 === pictureSha256 && mediaType === 'image/jpeg')) {
    return refuse('picture', 'The event names no such picture', 'Send the sha256 of one of its evidence pictures.')
  }
  for (const [index, { box }] of boxes.entries()) {
    const [x, y, width, height] = box
    if (width < smallestSide || height < smallestSide) {
      return refuse(`boxes/${index}/box`, 'The box is too small to be seen', 'Draw it larger or leave it out.')
    }
    if (x + width > 1 + rounding || y + height > 1 + rounding) {
      return refuse(
        `boxes/${index}/box`,
        'The box reaches beyond the picture',
        'Boxes are [x, y, width, height], 0..1: x + width and y + height are at most 1.',
      )
    }
  }
  return { ok: true, pictureSha256, boxes }
}

const refuse = (path: string, message: string, hint: string): Refusal => ({ ok: false, path, message, hint })
