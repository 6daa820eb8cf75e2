/** How each target pixel of one axis is mixed from `count` neighbouring source pixels, beginning at `start[i]`. */
export interface Axis {
  readonly count: number
  readonly start: Int32Array
  /** `weights[i * count + k]`; those of one target pixel sum to 1. */
  readonly weights: Float32Array
}

/**
 * Shrinking averages areas, so that a far plume or a small rider is not skipped; growing is bilinear with
 * half-pixel centres. The same choice as OpenCV's INTER_AREA and INTER_LINEAR, with which models are trained.
 */
export const planAxis = (source: number, target: number): Axis => {
  const scale = source / target
  const mixes = Array.from({ length: target }, (_, i) =>
    scale > 1 ? areaOf(i, scale, source) : neighboursOf(i, scale, source),
  )
  const count = Math.min(source, Math.max(...mixes.map(mix => mix.weights.length)))
  const start = new Int32Array(target)
  const weights = new Float32Array(target * count)
  mixes.forEach((mix, i) => {
    // Constant width makes the inner loop fast; at the far edge the window moves back and the first weights are 0.
    start[i] = Math.min(mix.start, source - count)
    const shift = mix.start - start[i]!
    mix.weights.forEach((weight, k) => {
      weights[i * count + shift + k] = weight
    })
  })
  return { count, start, weights }
}

interface Mix {
  readonly start: number
  readonly weights: readonly number[]
}

const areaOf = (i: number, scale: number, source: number): Mix => {
  const from = i * scale
  const to = Math.min(source, from + scale)
  const start = Math.floor(from)
  const weights: number[] = []
  for (let p = start; p < to - 1e-6; p++) weights.push((Math.min(p + 1, to) - Math.max(p, from)) / scale)
  const sum = weights.reduce((total, weight) => total + weight, 0)
  return { start, weights: weights.map(weight => weight / sum) }
}

const neighboursOf = (i: number, scale: number, source: number): Mix => {
  const centre = (i + 0.5) * scale - 0.5
  const start = Math.floor(centre)
  const share = centre - start
  if (start < 0) return { start: 0, weights: [1] }
  return start >= source - 1 ? { start: source - 1, weights: [1] } : { start, weights: [1 - share, share] }
}
