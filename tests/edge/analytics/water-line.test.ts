import { describe, expect, it } from 'vitest'
import { findWaterLine } from '../../../edge/analytics/water-line.js'
import { seeded } from './seeded.js'

const step = (samples: number, line: number, blur = 3) =>
  Array.from({ length: samples }, (_, sample) => 1 / (1 + Math.exp((sample + 0.5 - line) / (blur / 2))))

describe('water line of a profile', () => {
  it('lies between two samples where the blurred edge is half way', () => {
    for (const line of [20, 20.25, 47.5, 63.8]) expect(findWaterLine(step(100, line)).position).toBeCloseTo(line, 1)
  })

  it('is a third of a sample from the truth (RMS) and never two, for any line under noise', () => {
    const random = seeded(1)
    const errors = Array.from({ length: 500 }, () => {
      const line = random.between(15, 85)
      const noisy = step(100, line).map(score => Math.min(1, Math.max(0, score + random.noise(0.08))))
      return findWaterLine(noisy).position - line
    })
    expect(Math.sqrt(errors.reduce((sum, error) => sum + error ** 2, 0) / errors.length)).toBeLessThan(1 / 3)
    expect(Math.max(...errors.map(Math.abs))).toBeLessThan(2)
  })

  it('outvotes a reflection above the line and a hole below it', () => {
    const profile = step(100, 40)
    profile.fill(0.9, 70, 80)
    profile.fill(0.1, 10, 16)
    const line = findWaterLine(profile)
    expect(line.position).toBeCloseTo(40, 0)
    expect(line.misfit).toBeCloseTo(0.16, 1)
  })

  it('reads a pale water score against a paler rest', () => {
    const line = findWaterLine(step(100, 30).map(score => 0.1 + 0.4 * score))
    expect(line.position).toBeCloseTo(30, 0)
    expect(line.contrast).toBeCloseTo(0.4, 1)
  })

  it('tells a dry gauge from a drowned one', () => {
    expect(findWaterLine(new Array(50).fill(0.04))).toMatchObject({ side: 'below', position: 0, misfit: 0 })
    expect(findWaterLine(new Array(50).fill(0.97))).toMatchObject({ side: 'above', position: 50, misfit: 0 })
  })

  it('calls noise a misfit', () => {
    const random = seeded(2)
    expect(findWaterLine(Array.from({ length: 100 }, random.next)).misfit).toBeGreaterThan(0.3)
  })
})
