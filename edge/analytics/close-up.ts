import type { Box } from '@watchpost/shared/contracts/primitives'
import type { FrameSize } from './analytic.js'
import { clamp } from './statistics.js'

interface Place {
  readonly x: number
  readonly y: number
}

/** The places fill at most this share of a close-up's width and height. */
const mostFilled = 0.95
/** Nearer than this models were hardly trained. */
const mostZoom = 2
/** A part of nearly the whole frame shows no more than the whole does. */
const leastZoom = 1.1

/**
 * The part of a frame around some places of it that a model sees pixel by pixel, without shrinking it, or as much more as
 * the places need. Scaled down to the model's input a staff gauge is a few pixels wide.
 *
 * @param places in fractions of the frame
 * @param input size of the model's input, in pixels
 * @returns fractions of the frame, on whole pixels; null when the frame shows no more than the model takes anyway
 */
export const closeUpOf = (places: readonly Place[], frame: FrameSize, input: FrameSize): Box | null => {
  const span = (key: keyof Place) => {
    const values = places.map(place => place[key])
    return { from: Math.min(...values), to: Math.max(...values) }
  }
  const [across, down] = [span('x'), span('y')]
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
