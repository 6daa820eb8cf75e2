import type { Box, ImagePoint } from '@watchpost/shared/contracts/primitives'
import type { FrameSize } from './analytic.js'
import { clamp } from './statistics.js'

/** The places fill at most this share of a close-up's width and height. */
const mostFilled = 0.95
/** A part of nearly the whole frame shows no more than the whole does. */
const leastZoom = 1.1

export const wholeFrame: Box = [0, 0, 1, 1]

/** A point of the frame, in fractions of one of its parts. */
export const pointIn = ([x, y]: ImagePoint, [left, top, width, height]: Box): ImagePoint => [
  (x - left) / width,
  (y - top) / height,
]

/** A box in fractions of a part of the frame, in fractions of the frame. */
export const boxOutOf = ([x, y, wide, tall]: Box, [left, top, width, height]: Box): Box => [
  left + x * width,
  top + y * height,
  wide * width,
  tall * height,
]

/**
 * The part of a frame around some places of it that a model sees pixel by pixel, without shrinking it, or as much more as
 * the places need. Scaled down to the model's input a staff gauge is a few pixels wide.
 *
 * @param places in fractions of the frame
 * @param input size of the model's input, in pixels
 * @param mostZoom how much nearer than the whole a model may look, where it was hardly trained to look from nearer
 * @returns fractions of the frame, on whole pixels; null when the frame shows no more than the model takes anyway
 */
export const closeUpOf = (
  places: readonly ImagePoint[],
  frame: FrameSize,
  input: FrameSize,
  mostZoom = Number.POSITIVE_INFINITY,
): Box | null => {
  const span = (axis: 0 | 1) => {
    const values = places.map(place => place[axis])
    return { from: Math.min(...values), to: Math.max(...values) }
  }
  const [across, down] = [span(0), span(1)]
  const whole = Math.min(frame.width / input.width, frame.height / input.height)
  const needed = Math.max(
    ((across.to - across.from) * frame.width) / (mostFilled * input.width),
    ((down.to - down.from) * frame.height) / (mostFilled * input.height),
  )
  // Frame pixels per pixel of the model's input.
  const scale = Math.max(1, needed, whole / mostZoom)
  if (whole / scale < leastZoom) return null
  const [width, height] = [Math.round(input.width * scale), Math.round(input.height * scale)]
  const start = ({ from, to }: typeof across, size: number, of: number) =>
    Math.round(clamp(((from + to) / 2) * of - size / 2, 0, of - size))
  return [
    start(across, width, frame.width) / frame.width,
    start(down, height, frame.height) / frame.height,
    width / frame.width,
    height / frame.height,
  ]
}
