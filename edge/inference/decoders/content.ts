import type { InputGeometry } from '../preprocess/preprocess.js'
import type { MapLayout } from './layout.js'

/** The chosen channels of a map without the cells that saw only padding, one channel after the other. */
export const copyContent = (
  data: Float32Array,
  layout: MapLayout,
  channels: readonly number[],
  geometry: InputGeometry,
  activation: (value: number) => number,
): { readonly rows: number; readonly columns: number; readonly scores: Float32Array } => {
  const columns = Math.max(1, Math.round((layout.columns * geometry.contentWidth) / geometry.inputWidth))
  const rows = Math.max(1, Math.round((layout.rows * geometry.contentHeight) / geometry.inputHeight))
  const scores = new Float32Array(channels.length * rows * columns)
  let to = 0
  for (const channel of channels)
    for (let row = 0; row < rows; row++) {
      let from = channel * layout.channelStep + row * layout.rowStep
      for (let column = 0; column < columns; column++, from += layout.columnStep) scores[to++] = activation(data[from]!)
    }
  return { rows, columns, scores }
}
