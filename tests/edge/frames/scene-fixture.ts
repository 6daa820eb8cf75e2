import type { Frame } from '../../../edge/frames/frame.js'

const [width, height] = [320, 180]

/** A reproducible stream of numbers 0..1. */
export const randomOf = (seed: number) => () => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
  return seed / 2 ** 32
}

/** Grey levels of a made-up street: houses, windows, poles. Wider than the picture, so that the camera can be turned. */
export const sceneOf = (seed: number): ((x: number, y: number) => number) => {
  const random = randomOf(seed)
  const boxes = Array.from({ length: 90 }, () => ({
    x: random() * (width + 160) - 80,
    y: random() * (height + 160) - 80,
    w: 6 + random() * 60,
    h: 6 + random() * 40,
    level: 40 + random() * 170,
  }))
  const margin = 80
  const across = width + 2 * margin
  const levels = Float32Array.from({ length: across * (height + 2 * margin) }, (_, i) => {
    const [x, y] = [(i % across) - margin, Math.floor(i / across) - margin]
    return boxes.findLast(b => x >= b.x && x < b.x + b.w && y >= b.y && y < b.y + b.h)?.level ?? 110
  })
  return (x, y) => levels[(y + margin) * across + x + margin]!
}

export interface Appearance {
  readonly shiftX?: number
  readonly shiftY?: number
  readonly gain?: number
  readonly offset?: number
  readonly noise?: number
  readonly colour?: number
  /** Radius in pixels. */
  readonly blur?: number
  /** Share of the height under water, from below. */
  readonly flooded?: number
}

/** One picture of a scene. The same seed gives the same noise. */
export const pictureOf = (
  scene: (x: number, y: number) => number,
  appearance: Appearance,
  seed: number,
  takenAt: number,
): Frame => {
  const { shiftX = 0, shiftY = 0, gain = 1, offset = 0, noise = 3, colour = 12, blur = 0, flooded = 0 } = appearance
  const random = randomOf(seed * 7919 + 1)
  const water = height * (1 - flooded)
  let levels = Float32Array.from({ length: width * height }, (_, i) => {
    const [x, y] = [i % width, Math.floor(i / width)]
    return y > water ? 120 + 6 * Math.sin(x / 9 + seed) : scene(x + shiftX, y + shiftY)
  })
  if (blur > 0) levels = blurred(levels, blur)
  const pixels = new Uint8Array(new SharedArrayBuffer(width * height * 3))
  const clamp = (value: number) => Math.max(0, Math.min(255, Math.round(value)))
  for (let i = 0; i < levels.length; i++) {
    const level = levels[i]! * gain + offset + (random() - 0.5) * 2 * noise
    pixels[3 * i] = clamp(level + colour / 2)
    pixels[3 * i + 1] = clamp(level)
    pixels[3 * i + 2] = clamp(level - colour / 2)
  }
  return { cameraId: 'gate', width, height, pixels, takenAt, number: seed + 1 }
}

const blurred = (levels: Float32Array, radius: number): Float32Array<ArrayBuffer> => {
  const pass = (from: Float32Array, step: number, line: number) =>
    Float32Array.from(from, (_, i) => {
      let [sum, count] = [0, 0]
      for (let o = -radius; o <= radius; o++) {
        const j = i + o * step
        if (j < 0 || j >= from.length || (step === 1 && Math.floor(j / line) !== Math.floor(i / line))) continue
        sum += from[j]!
        count++
      }
      return sum / count
    })
  return pass(pass(levels, 1, width), width, width)
}
