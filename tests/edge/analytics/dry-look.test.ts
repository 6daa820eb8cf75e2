import { describe, expect, it } from 'vitest'
import { createAnalytic } from '../../../edge/analytics/create-analytic.js'
import type { Reading } from '../../../edge/analytics/reading.js'
import type { FloodAnalytic } from '../../../edge/config/agent-config.js'
import type { Decoded } from '../../../edge/inference/inference-result.js'
import { floodDefaults, inputAt, maskOf } from './inputs.js'

const config: FloodAnalytic = {
  ...floodDefaults,
  roadZone: [
    [0, 0.5],
    [1, 0.5],
    [1, 1],
    [0, 1],
  ],
}
const minuteMs = 60_000
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs
const midnight = Date.UTC(2026, 9, 1)

/** The left quarter of the road shines; water stands below `waterY`. */
const road = (shine: number, waterY = 1) =>
  maskOf((x, y) => (y < 0.5 ? 0.02 : y > waterY ? 0.95 : x < 0.25 ? shine : 0.05))
const shining = road(0.7)
const dull = road(0.05)
const shiningAndFlooded = road(0.7, 0.75)
const drowned = road(0.95, 0.5)

const open = (settings: Partial<FloodAnalytic> = {}, restored?: unknown) =>
  createAnalytic({ ...config, ...settings }, { cameraId: 'le-loi-1', restored })

/** A frame every three minutes from day to day (fractions allowed); gives the last reading. */
const watch = (analytic: ReturnType<typeof open>, from: number, to: number, maskAt: (hour: number) => Decoded) => {
  let last: Reading | undefined
  for (let at = midnight + from * dayMs; at < midnight + to * dayMs; at += 3 * minuteMs)
    last = analytic.update(inputAt(at, maskAt(Math.floor((at % dayMs) / hourMs)))).readings[0]
  if (last?.type !== 'flooded-share') throw new Error('no reading of the road zone came')
  return last
}

describe('the dry look of a road', () => {
  it('counts what shines as water at first, and leaves it out once three days have shown it', () => {
    const analytic = open()
    expect(watch(analytic, 0, 2.9, () => shining).share).toBeCloseTo(0.25, 1)
    expect(watch(analytic, 2.9, 3.1, () => shining)).toMatchObject({ share: 0, quality: 'good' })
  })

  it('still sees water on the rest of the road', () => {
    const analytic = open()
    watch(analytic, 0, 4, () => shining)
    expect(watch(analytic, 4, 4.01, () => shiningAndFlooded).share).toBeCloseTo(0.5, 1)
  })

  it('takes no flood of a day and a half for a dry look, nor one of a week once dry days were seen', () => {
    const analytic = open()
    watch(analytic, 0, 1, () => dull)
    watch(analytic, 1, 2.5, () => drowned)
    watch(analytic, 2.5, 4, () => dull)
    expect(watch(analytic, 4, 11, () => drowned)).toMatchObject({ share: 1, quality: 'good' })
  })

  it('calls a road unknown, never dry, that was under water on every day so far', () => {
    const reading = watch(open(), 0, 4, () => drowned)
    expect(reading).toMatchObject({ share: null, quality: 'suspended' })
    expect(reading.reason).toContain('looks like water when it is dry')
  })

  it('doubts a share when most of the road is left out', () => {
    const mostly = maskOf((x, y) => (y >= 0.5 && x < 0.7 ? 0.7 : 0.05))
    const reading = watch(open(), 0, 4, () => mostly)
    expect(reading.quality).toBe('uncertain')
    expect(reading.share).toBeLessThan(0.05)
    expect(reading.reason).toContain('most of the road zone')
  })

  it('knows a look for each part of the day', () => {
    const analytic = open()
    const sunAtNoon = (hour: number) => (hour >= 12 && hour < 16 ? shining : dull)
    watch(analytic, 0, 4, sunAtNoon)
    expect(watch(analytic, 4, 4 + 13 / 24, sunAtNoon).share).toBe(0)
    expect(watch(analytic, 4 + 20 / 24, 4 + 21 / 24, () => shining).share).toBeCloseTo(0.25, 1)
  })

  it('forgets a look within a day when the shine is gone, and learns nothing from a few frames', () => {
    const analytic = open()
    watch(analytic, 0, 4, () => shining)
    watch(analytic, 4, 4.02, () => dull)
    expect(watch(analytic, 5, 5.02, () => shining).share).toBe(0)
    watch(analytic, 5.02, 6, () => dull)
    expect(watch(analytic, 6, 6.02, () => shining).share).toBeCloseTo(0.25, 1)
  })

  it('keeps what it learnt over a restart, and begins anew for another zone or from what cannot be read', () => {
    const analytic = open()
    watch(analytic, 0, 4, () => shining)
    const stored: unknown = JSON.parse(JSON.stringify(analytic.state!()))
    const share = (settings: Partial<FloodAnalytic>, restored: unknown) =>
      watch(open(settings, restored), 4, 4.01, () => shining).share
    expect(share({}, stored)).toBe(0)
    expect(share({ roadZone: [...config.roadZone!.slice(0, 3), [0, 0.99]] }, stored)).toBeGreaterThan(0.2)
    expect(share({}, { ...(stored as object), version: 0 })).toBeCloseTo(0.25, 1)
    expect(share({}, 'damaged')).toBeCloseTo(0.25, 1)
  })

  it('learns the same of a day in which the agent is restarted every hour', () => {
    let stored: unknown
    for (let hour = 0; hour < 4 * 24; hour++) {
      const analytic = open({}, stored)
      const before = analytic.state!()
      watch(analytic, hour / 24, (hour + 1) / 24, () => shining)
      expect(analytic.state!(), 'something new is to be stored').not.toBe(before)
      stored = JSON.parse(JSON.stringify(analytic.state!()))
    }
    expect(watch(open({}, stored), 4, 4.01, () => shining).share).toBe(0)
  })

  it('stores something new every ten minutes, and when a part of the day is over', () => {
    const analytic = open()
    const stored = (from: number, to: number) => {
      watch(analytic, from / 24, to / 24, () => shining)
      return analytic.state!()
    }
    const first = stored(0, 0.1)
    expect(stored(0.1, 0.15)).toBe(first)
    const second = stored(0.2, 0.3)
    expect(second).not.toBe(first)
    expect(stored(0.3, 0.35)).toBe(second)
    stored(0.35, 3.98)
    const last = analytic.state!()
    expect(stored(4, 4.04)).not.toBe(last)
  })

  it('leaves nothing out when told so', () => {
    expect(watch(open({ dryLookDays: 0 }), 0, 4, () => shining).share).toBeCloseTo(0.25, 1)
  })

  it('reads masks that are coarser than its cells', () => {
    const coarse = maskOf((x, y) => (y >= 0.5 && x < 0.25 ? 0.7 : 0.05), { width: 16, height: 8 })
    expect(watch(open(), 0, 4, () => coarse).share).toBe(0)
  })
})
