import type { AnalyticInput } from '../../../edge/analytics/analytic.js'
import type { FloodAnalytic } from '../../../edge/config/agent-config.js'
import type { Frame } from '../../../edge/frames/frame.js'
import type { Decoded } from '../../../edge/inference/inference-result.js'

export const startMs = Date.UTC(2026, 9, 27, 3, 0, 0)

/** Flood settings as they are when nothing is said of them, without gauge and road zone. */
export const floodDefaults: FloodAnalytic = {
  id: 'flood',
  kind: 'flood-level',
  model: 'water',
  fps: 1,
  closeUp: true,
  dryLookDays: 3,
  readings: 5,
  levels: [],
  shareLevels: [],
  hysteresisCm: 3,
  hysteresisShare: 0.05,
  dwellSeconds: 10,
  endDwellSeconds: 60,
  observeEverySeconds: 5,
}

export const frameAt = (at: number, { width = 640, height = 360 } = {}): Frame => ({
  cameraId: 'le-loi-1',
  width,
  height,
  pixels: new Uint8Array(new SharedArrayBuffer(width * height * 3)),
  takenAt: at,
  number: 1,
})
const blank = frameAt(0)

export const resultOf = (decoded: Decoded) => ({
  model: { id: 'test-model', version: '1.0.0', sha256: '0'.repeat(64) },
  decoded,
  inferenceMs: 1,
})

/** One step of an analytic: a blank 640x360 frame taken at `at`, and what the model made of it. */
export const inputAt = (at: number, decoded: Decoded | null): AnalyticInput => ({
  frame: { ...blank, takenAt: at },
  result: decoded && resultOf(decoded),
})

export const maskSize = { width: 160, height: 90 }

/** A mask from a function of the image point (fractions) to a score. */
export const maskOf = (score: (x: number, y: number) => number, { width, height } = maskSize): Decoded => {
  const scores = new Float32Array(width * height)
  for (let row = 0; row < height; row++)
    for (let column = 0; column < width; column++)
      scores[row * width + column] = score((column + 0.5) / width, (row + 0.5) / height)
  return { kind: 'mask', label: 'water', width, height, scores }
}

/** Water below the image row `lineY`, blurred over about `blur` of the frame's height. */
export const waterBelow = (lineY: number, blur = 0.02) =>
  maskOf((_, y) => 1 / (1 + Math.exp(-(y - lineY) / (blur / 4))))
