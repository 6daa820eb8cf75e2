import type { Box } from '@watchpost/shared/contracts/primitives'
import type { Frame } from '../frames/frame.js'
import { clamp, mean } from './statistics.js'

export type LampBulb = 'red' | 'amber' | 'green'

/** Share of a box's pixels, the brightest in its colour, that stand for the bulb: boxes are drawn larger than bulbs. */
const bulbShare = 0.3
/** Pixels looked at per box; larger boxes are sampled. */
const maxPixels = 400

/** How strongly a pixel has the bulb's colour, 0..1. Green bulbs are bluish, red ones reach into orange. */
const colourOf: Readonly<Record<LampBulb, (red: number, green: number, blue: number) => number>> = {
  red: (red, green, blue) => red - Math.max(green, blue),
  amber: (red, green, blue) => Math.min(red, green) - blue,
  green: (red, green) => green - red,
}

/**
 * How lit a bulb looks, 0..1: half by brightness, half by its own colour. By day the colour tells a lit bulb from a sunlit
 * lens; by night the bulb is a white core in a coloured halo and the brightness does.
 */
export const lightOf = ({ width, height, pixels }: Frame, bulb: LampBulb, [x, y, w, h]: Box): number => {
  const left = Math.floor(clamp(x * width, 0, width - 1))
  const top = Math.floor(clamp(y * height, 0, height - 1))
  const right = Math.max(left + 1, Math.min(width, Math.round((x + w) * width)))
  const bottom = Math.max(top + 1, Math.min(height, Math.round((y + h) * height)))
  const stride = Math.max(1, Math.ceil(Math.sqrt(((right - left) * (bottom - top)) / maxPixels)))
  const lights: number[] = []
  for (let row = top; row < bottom; row += stride)
    for (let column = left; column < right; column += stride) {
      const offset = (row * width + column) * 3
      const red = pixels[offset]! / 255
      const green = pixels[offset + 1]! / 255
      const blue = pixels[offset + 2]! / 255
      lights.push(Math.max(red, green, blue) / 2 + Math.max(0, colourOf[bulb](red, green, blue)) / 2)
    }
  lights.sort((a, b) => b - a)
  return mean(lights, 0, Math.max(1, Math.round(lights.length * bulbShare)))
}
