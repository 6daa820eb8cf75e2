/** The outlines of a scene: for each point of a small grid the direction of its edge, weighed by its strength against the others. */
export interface View {
  readonly width: number
  readonly height: number
  /** Two values per point. */
  readonly edges: Float32Array
  /** Edge strength per block of the grid. */
  readonly blocks: Float32Array
}

export interface Shift {
  readonly dx: number
  readonly dy: number
  /** 1: the same outlines; about 0: another scene. */
  readonly score: number
}

export const viewWidth = 64
export const viewHeight = 36
const blockSize = 6
/** Edges of this many grey levels count half even in a picture without others: below lies noise. */
const noiseFloor = 2

/**
 * Directions are doubled, so that an edge is the same whether its dark side is left or right: at night lamps turn many around. Strengths
 * are soft-limited by their mean, so neither gain nor one bright lamp matters. The mean direction is taken out: two streets that have
 * nothing in common but upright walls must not look alike.
 */
export const viewOf = (grey: Float32Array): View => {
  const [width, height] = [viewWidth, viewHeight]
  const strengths = new Float32Array(width * height)
  const edges = new Float32Array(width * height * 2)
  const blocksAcross = Math.ceil(width / blockSize)
  const blocks = new Float32Array(blocksAcross * Math.ceil(height / blockSize))
  let sum = 0
  for (let y = 1; y < height - 1; y++) {
    for (let x = 1; x < width - 1; x++) {
      const i = y * width + x
      const gx = (grey[i + 1]! - grey[i - 1]!) / 2
      const gy = (grey[i + width]! - grey[i - width]!) / 2
      const strength = Math.hypot(gx, gy)
      strengths[i] = strength
      sum += strength
      const block = Math.floor(y / blockSize) * blocksAcross + Math.floor(x / blockSize)
      blocks[block] = blocks[block]! + strength / (blockSize * blockSize)
      if (strength === 0) continue
      edges[2 * i] = (gx * gx - gy * gy) / (strength * strength)
      edges[2 * i + 1] = (2 * gx * gy) / (strength * strength)
    }
  }
  const usual = sum / (width * height) + noiseFloor
  let [meanX, meanY, weights] = [0, 0, 0]
  for (let i = 0; i < strengths.length; i++) {
    const weight = strengths[i]! / (strengths[i]! + usual)
    strengths[i] = weight
    meanX += weight * edges[2 * i]!
    meanY += weight * edges[2 * i + 1]!
    weights += weight
  }
  for (let i = 0; i < strengths.length; i++) {
    edges[2 * i] = strengths[i]! * (edges[2 * i]! - meanX / (weights || 1))
    edges[2 * i + 1] = strengths[i]! * (edges[2 * i + 1]! - meanY / (weights || 1))
  }
  return { width, height, edges, blocks }
}

/** How well `view` fits `reference` when it is moved by `dx`, `dy` points. */
export const scoreAt = (reference: View, view: View, dx: number, dy: number): number => {
  const { width, height } = reference
  let [product, squaresA, squaresB] = [0, 0, 0]
  for (let y = Math.max(0, -dy); y < Math.min(height, height - dy); y++) {
    for (let x = Math.max(0, -dx); x < Math.min(width, width - dx); x++) {
      const a = 2 * (y * width + x)
      const b = 2 * ((y + dy) * width + x + dx)
      const [ax, ay, bx, by] = [reference.edges[a]!, reference.edges[a + 1]!, view.edges[b]!, view.edges[b + 1]!]
      product += ax * bx + ay * by
      squaresA += ax * ax + ay * ay
      squaresB += bx * bx + by * by
    }
  }
  return product / Math.sqrt(squaresA * squaresB + 1e-9)
}

/** The shift of up to a sixth of the picture that fits best. */
export const bestShift = (reference: View, view: View): Shift => {
  let best: Shift = { dx: 0, dy: 0, score: scoreAt(reference, view, 0, 0) }
  for (let dy = -6; dy <= 6; dy++) {
    for (let dx = -10; dx <= 10; dx++) {
      const score = scoreAt(reference, view, dx, dy)
      if (score > best.score) best = { dx, dy, score }
    }
  }
  return best
}
