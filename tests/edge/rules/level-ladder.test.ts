import { describe, expect, it } from 'vitest'
import { createLevelLadder } from '../../../edge/rules/level-ladder.js'
import { seeded } from '../analytics/seeded.js'

const settings = { thresholds: [10, 30, 50], hysteresis: 3, dwellMs: 10_000, endDwellMs: 60_000, maxGapMs: 30_000 }
const exact = { bound: 'exact', weight: 1 } as const

/** Rungs after each of the values, one a second. */
const climb = (values: readonly number[], ladder = createLevelLadder(settings)) =>
  values.map((value, second) => ladder.step({ at: second * 1000, value, ...exact }))
const repeat = (value: number, times: number): number[] => new Array<number>(times).fill(value)

describe('ladder of alarm levels', () => {
  it('is reached after the dwell and not before', () => {
    const rungs = climb(repeat(12, 12))
    expect(rungs.slice(0, 10)).toEqual(repeat(-1, 10))
    expect(rungs.slice(10)).toEqual([0, 0])
  })

  it('is not reached by a value that falls back during the dwell', () => {
    expect(climb([...repeat(12, 9), 9, ...repeat(12, 9)]).every(rung => rung === -1)).toBe(true)
  })

  it('goes straight to the highest level that held', () => {
    expect(climb(repeat(55, 11)).at(-1)).toBe(2)
  })

  it('keeps its level while the value swings within the hysteresis', () => {
    const swinging = Array.from({ length: 600 }, (_, second) => (second % 2 ? 11 : 7.5))
    expect(climb([...repeat(12, 11), ...swinging]).at(-1)).toBe(0)
  })

  it('falls one level after the other when the water drops slowly, all at once when it drops at once', () => {
    const slow = climb([...repeat(55, 11), ...repeat(40, 61), ...repeat(20, 61), ...repeat(2, 61)])
    expect([slow[10], slow[71], slow[132], slow[193]]).toEqual([2, 1, 0, -1])
    const fast = climb([...repeat(55, 11), ...repeat(0, 61)])
    expect([fast[70], fast[71]]).toEqual([2, -1])
  })

  it('lets time without readings count only up to the longest gap', () => {
    const ladder = createLevelLadder({ ...settings, dwellMs: 50_000 })
    ladder.step({ at: 0, value: 12, ...exact })
    expect(ladder.step({ at: 3_600_000, value: 12, ...exact })).toBe(-1)
    expect(ladder.step({ at: 3_620_000, value: 12, ...exact })).toBe(0)
  })

  it('neither rises on "at most" nor falls on "at least"', () => {
    const ladder = createLevelLadder(settings, 2)
    for (let second = 0; second < 300; second++)
      expect(ladder.step({ at: second * 1000, value: 20, bound: 'atLeast', weight: 1 })).toBe(2)
    const low = createLevelLadder(settings)
    for (let second = 0; second < 300; second++)
      expect(low.step({ at: second * 1000, value: 60, bound: 'atMost', weight: 1 })).toBe(-1)
  })

  it('never leaves the band that hysteresis allows, whatever the water does', () => {
    const random = seeded(5)
    for (let round = 0; round < 20; round++) {
      const ladder = createLevelLadder(settings)
      let value = 0
      let rung = -1
      for (let second = 0; second < 2000; second++) {
        value = Math.max(0, value + random.noise(1.5))
        const next = ladder.step({ at: second * 1000, value, ...exact })
        if (next > rung) expect(value).toBeGreaterThanOrEqual(settings.thresholds[next]!)
        if (next < rung) expect(value).toBeLessThan(settings.thresholds[next + 1]! - settings.hysteresis)
        rung = next
      }
    }
  })
})
