import { centernet } from './centernet.js'
import { classification } from './classification.js'
import type { Decoder } from './decoder.js'
import { grid } from './grid.js'
import { segmentation } from './segmentation.js'
import { yolox } from './yolox.js'

/** A new decoder is one file and one line here. */
export const decoders: Readonly<Record<string, Decoder>> = {
  yolox,
  centernet,
  grid,
  segmentation,
  classification,
}
