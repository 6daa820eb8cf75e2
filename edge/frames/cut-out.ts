import type { Box } from '@watchpost/shared/contracts/primitives'
import type { Frame } from './frame.js'

/**
 * A part of a frame as a frame of its own, of the same camera and moment.
 *
 * @param region fractions of the frame; at least one pixel of each side is kept, what lies outside the frame is not
 */
export const cutOut = (frame: Frame, [x, y, width, height]: Box): Frame => {
  const [left, right] = [Math.round(x * frame.width), Math.round((x + width) * frame.width)]
  const [top, bottom] = [Math.round(y * frame.height), Math.round((y + height) * frame.height)]
  const [fromX, fromY] = [Math.min(Math.max(left, 0), frame.width - 1), Math.min(Math.max(top, 0), frame.height - 1)]
  const columns = Math.max(1, Math.min(right, frame.width) - fromX)
  const rows = Math.max(1, Math.min(bottom, frame.height) - fromY)
  const pixels = new Uint8Array(new SharedArrayBuffer(columns * rows * 3))
  for (let row = 0; row < rows; row++) {
    const from = ((fromY + row) * frame.width + fromX) * 3
    pixels.set(frame.pixels.subarray(from, from + columns * 3), row * columns * 3)
  }
  return { ...frame, width: columns, height: rows, pixels }
}
