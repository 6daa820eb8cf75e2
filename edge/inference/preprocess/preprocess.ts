import type { ModelInput } from '@watchpost/shared/manifest/model-manifest'
import { planAxis } from './axis.js'
import { mixColumns, mixRows, type Target } from './mix.js'

/** Where the picture lies inside the model's input, in input pixels, from the top left corner. */
export interface InputGeometry {
  readonly inputWidth: number
  readonly inputHeight: number
  /** Smaller than the input only with letterbox: the padding is at the right or the bottom, as YOLOX has it. */
  readonly contentWidth: number
  readonly contentHeight: number
}

export interface Preprocess {
  readonly geometry: InputGeometry
  /** Of the input tensor. */
  readonly values: number
  /** Writes all of `out`, which has that many `values`. Pure but for `out`. */
  fill(pixels: Uint8Array, out: Float32Array): void
}

/** Prepared once per model and frame size: RGB bytes to the model's input tensor. */
export const createPreprocess = (input: ModelInput, frameWidth: number, frameHeight: number): Preprocess => {
  const geometry = geometryOf(input, frameWidth, frameHeight)
  const horizontal = planAxis(frameWidth, geometry.contentWidth)
  const vertical = planAxis(frameHeight, geometry.contentHeight)
  const row = new Float32Array(frameWidth * 3)
  const target = targetOf(input, geometry.inputHeight)
  return {
    geometry,
    values: geometry.inputWidth * geometry.inputHeight * 3,
    fill(pixels, out) {
      if (pixels.length !== frameWidth * frameHeight * 3)
        throw new RangeError(`Frame of ${frameWidth}x${frameHeight} has ${pixels.length} bytes instead of 3 per pixel.`)
      if (geometry.contentWidth < geometry.inputWidth || geometry.contentHeight < geometry.inputHeight)
        pad(input, target, geometry, out)
      for (let y = 0; y < geometry.contentHeight; y++) {
        mixRows(row, pixels, vertical, y)
        mixColumns(row, horizontal, target, y, out)
      }
    },
  }
}

const geometryOf = (input: ModelInput, frameWidth: number, frameHeight: number): InputGeometry => {
  const inputHeight = heightFor(input, (input.width * frameHeight) / frameWidth)
  const ratio = Math.min(input.width / frameWidth, inputHeight / frameHeight)
  const fit = (length: number, limit: number): number =>
    input.resize === 'stretch' ? limit : Math.max(1, Math.min(limit, Math.round(length * ratio)))
  return {
    inputWidth: input.width,
    inputHeight,
    contentWidth: fit(frameWidth, input.width),
    contentHeight: fit(frameHeight, inputHeight),
  }
}

/** All heights the weights take, rising. */
export const heightsOf = ({ height, tallerHeights = [] }: ModelInput): readonly number[] => [height, ...tallerHeights]

/** The lowest of the input's heights that holds `rows`, else the tallest. */
const heightFor = (input: ModelInput, rows: number): number => {
  const heights = heightsOf(input)
  return heights.find(height => height >= Math.round(rows)) ?? heights.at(-1)!
}

const targetOf = (input: ModelInput, inputHeight: number): Target => {
  const order = input.channels === 'rgb' ? ([0, 1, 2] as const) : ([2, 1, 0] as const)
  const planar = input.layout === 'nchw'
  const channelStep = planar ? input.width * inputHeight : 1
  // `order[i]` is the tensor's channel of colour i; mean and std stand in the tensor's order.
  const per = (value: (channel: 0 | 1 | 2) => number) =>
    [value(order[0]), value(order[1]), value(order[2])] as [number, number, number]
  return {
    first: per(channel => channel * channelStep),
    columnStep: planar ? 1 : 3,
    rowStep: planar ? input.width : input.width * 3,
    scale: per(channel => 1 / input.std[channel]),
    offset: per(channel => -input.mean[channel] / input.std[channel]),
  }
}

/** Only what no picture covers: right of it and below it. */
const pad = (
  { padValue = 114 }: ModelInput,
  { first, columnStep, rowStep, scale, offset }: Target,
  { inputWidth, inputHeight, contentWidth, contentHeight }: InputGeometry,
  out: Float32Array,
): void => {
  for (let colour = 0; colour < 3; colour++) {
    const padded = padValue * scale[colour]! + offset[colour]!
    for (let y = 0; y < inputHeight; y++) {
      const row = first[colour]! + y * rowStep
      for (let x = y < contentHeight ? contentWidth : 0; x < inputWidth; x++) out[row + x * columnStep] = padded
    }
  }
}
