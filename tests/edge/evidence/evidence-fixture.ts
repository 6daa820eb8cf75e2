import type { Frame } from '../../../edge/frames/frame.js'

export const noon = Date.UTC(2026, 9, 27, 5, 0, 0)

/** Noise: hardly compressible, so that sizes add up, and different for each seed. */
export const noiseFrame = (seed: number, takenAt = noon, cameraId = 'gate'): Frame => {
  const [width, height] = [160, 90]
  const pixels = new Uint8Array(new SharedArrayBuffer(width * height * 3))
  let state = seed * 2654435761 + 1
  for (let i = 0; i < pixels.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    pixels[i] = state >>> 24
  }
  return { cameraId, width, height, pixels, takenAt, number: seed }
}
