import type { Frame } from './frame.js'

/** A grey picture, 0..255, row-major. */
export interface Luma {
  readonly width: number
  readonly height: number
  readonly values: Uint8Array
}

/** BT.601 weights in 1/256. */
export const lumaOf = ({ width, height, pixels }: Pick<Frame, 'width' | 'height' | 'pixels'>): Luma => {
  const values = new Uint8Array(width * height)
  for (let i = 0, p = 0; i < values.length; i++, p += 3) {
    values[i] = (pixels[p]! * 77 + pixels[p + 1]! * 150 + pixels[p + 2]! * 29) >> 8
  }
  return { width, height, values }
}

/** Mean over the area of each cell; every second pixel either way is enough. */
export const shrink = (luma: Luma, width: number, height: number): Float32Array => {
  const sums = new Float32Array(width * height)
  const counts = new Uint32Array(width * height)
  for (let y = 0; y < luma.height; y += 2) {
    const row = Math.floor((y * height) / luma.height) * width
    for (let x = 0; x < luma.width; x += 2) {
      const cell = row + Math.floor((x * width) / luma.width)
      sums[cell] = sums[cell]! + luma.values[y * luma.width + x]!
      counts[cell] = counts[cell]! + 1
    }
  }
  return sums.map((sum, cell) => sum / Math.max(1, counts[cell]!))
}

export interface LumaStatistics {
  readonly mean: number
  readonly variance: number
  /** 98 of 100 pixels are darker or equal. */
  readonly bright: number
  /** Variance of the Laplacian by the variance of the picture: how much of its contrast is fine detail, whatever the light. */
  readonly sharpness: number
}

/** Added to the variance, so that noise in a blank picture is not called sharp. */
const blankVariance = 25

export const statisticsOf = ({ width, height, values }: Luma): LumaStatistics => {
  const histogram = new Uint32Array(256)
  let [count, laplacianSum, laplacianSquares] = [0, 0, 0]
  for (let y = 1; y < height - 1; y += 2) {
    for (let x = 1; x < width - 1; x++) {
      const i = y * width + x
      const value = values[i]!
      histogram[value] = histogram[value]! + 1
      const laplacian = values[i - 1]! + values[i + 1]! + values[i - width]! + values[i + width]! - 4 * value
      laplacianSum += laplacian
      laplacianSquares += laplacian * laplacian
      count++
    }
  }
  if (count === 0) return { mean: 0, variance: 0, bright: 0, sharpness: 0 }
  let [sum, squares, seen, bright] = [0, 0, 0, -1]
  for (let value = 0; value < 256; value++) {
    const share = histogram[value]!
    sum += share * value
    squares += share * value * value
    seen += share
    if (bright < 0 && seen >= count * 0.98) bright = value
  }
  const mean = sum / count
  const variance = squares / count - mean * mean
  const laplacianVariance = laplacianSquares / count - (laplacianSum / count) ** 2
  return { mean, variance, bright, sharpness: laplacianVariance / (variance + blankVariance) }
}

export interface LumaDifference {
  readonly mean: number
  /** Share of pixels that differ by more than 2. */
  readonly changed: number
}

/** Two pictures of different size differ completely. */
export const differenceOf = (a: Luma, b: Luma): LumaDifference => {
  if (a.width !== b.width || a.height !== b.height) return { mean: 255, changed: 1 }
  let [sum, changed] = [0, 0]
  for (let i = 0; i < a.values.length; i++) {
    const difference = Math.abs(a.values[i]! - b.values[i]!)
    sum += difference
    if (difference > 2) changed++
  }
  return { mean: sum / a.values.length, changed: changed / a.values.length }
}

/** Mean distance of the strongest from the weakest colour channel, 0..255: near 0 for infra-red night pictures. */
export const colourOf = ({ pixels }: Pick<Frame, 'pixels'>): number => {
  let [sum, count] = [0, 0]
  for (let p = 0; p + 2 < pixels.length; p += 3 * 31) {
    const [r, g, b] = [pixels[p]!, pixels[p + 1]!, pixels[p + 2]!]
    sum += Math.max(r, g, b) - Math.min(r, g, b)
    count++
  }
  return count === 0 ? 0 : sum / count
}
