import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { createAnalytic } from '../../../edge/analytics/create-analytic.js'
import type { FloodAnalytic } from '../../../edge/config/agent-config.js'
import { floodDefaults, inputAt, startMs } from './inputs.js'
import { seeded } from './seeded.js'

const folder = new URL('../../fixtures/city/flood-street/', import.meta.url)
interface FloodStreet {
  readonly fps: number
  readonly gauge: { readonly points: { x: number; y: number; cm: number }[] }
  readonly roadZone: [number, number][]
  readonly frames: readonly { readonly t: number; readonly waterCm: number; readonly waterShare: number }[]
}
const scene: FloodStreet = JSON.parse(readFileSync(new URL('truth.json', folder), 'utf8'))
const width = 160
const height = 90

const config: FloodAnalytic = {
  ...floodDefaults,
  fps: scene.fps,
  gauge: { points: scene.gauge.points, halfWidth: 0.015 },
  roadZone: scene.roadZone,
}

/** The true masks, one below the other, as a segmentation model would soften and spoil them. */
const spoiled = (strip: Uint8Array, frame: number, random: ReturnType<typeof seeded>): Float32Array => {
  const scores = new Float32Array(width * height)
  for (let pixel = 0; pixel < scores.length; pixel++) {
    const water = strip[frame * scores.length + pixel]! > 127 ? 0.9 : 0.08
    scores[pixel] = Math.min(1, Math.max(0, water + random.between(-0.25, 0.25)))
  }
  return scores
}

describe('the rendered flooded street, from its true masks', () => {
  it.each([1, 2, 3])(
    'is measured within 2 cm (RMS) of the truth through mask noise, good all the way (seed %i)',
    async seed => {
      const { data, info } = await sharp(fileURLToPath(new URL('masks.png', folder)))
        .greyscale()
        .raw()
        .toBuffer({ resolveWithObject: true })
      expect([info.width, info.height, scene.frames.length]).toEqual([width, height * scene.frames.length, 210])
      const random = seeded(seed)
      const analytic = createAnalytic(config, { cameraId: 'le-loi-1' })
      const readings = scene.frames.flatMap(({ t }, frame) => {
        const scores = spoiled(data, frame, random)
        return analytic.update(inputAt(startMs + t * 1000, { kind: 'mask', label: 'water', width, height, scores }))
          .readings
      })
      const errors = readings
        .filter(reading => reading.type === 'level')
        .flatMap((level, index) => (index < 5 ? [] : [level.levelCm! - scene.frames[index]!.waterCm]))
      expect(Math.sqrt(errors.reduce((sum, error) => sum + error ** 2, 0) / errors.length)).toBeLessThan(2)
      const uncertain = readings.filter(reading => reading.type === 'level' && reading.quality !== 'good')
      expect(uncertain.length).toBeLessThan(10)
      // The median of five shares stands for the third of them.
      const delay = 2
      const shares = readings.filter(reading => reading.type === 'flooded-share')
      const shareErrors = shares.map((reading, index) =>
        Math.abs(reading.share! - scene.frames[Math.max(0, index - delay)]!.waterShare),
      )
      expect(shareErrors.toSorted((a, b) => a - b)[Math.floor(shareErrors.length * 0.9)]).toBeLessThan(0.05)
    },
  )
})
