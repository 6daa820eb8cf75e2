import type { Box } from '@watchpost/shared/contracts/primitives'

/** Where a box lies over the picture that it is drawn on. */
export const boxStyle = ([x, y, width, height]: Box) => ({
  left: `${x * 100}%`,
  top: `${y * 100}%`,
  width: `${width * 100}%`,
  height: `${height * 100}%`,
})
