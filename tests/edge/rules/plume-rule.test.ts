import { Value } from '@sinclair/typebox/value'
import { Event } from '@watchpost/shared/contracts/event'
import { describe, expect, it } from 'vitest'
import type { Reading } from '../../../edge/analytics/reading.js'
import type { EventDraft } from '../../../edge/rules/rule.js'
import { type Puff, plumeChain } from './plume-chain.js'

const smokeAt = (x: number, y: number, radius = 0.05): Puff => ({ label: 'smoke', x, y, radius, score: 0.8 })
const flameAt = (x: number, y: number, second: number): Puff => ({
  label: 'flame',
  x,
  y,
  radius: 0.03 + 0.02 * (second % 2),
  score: 0.9,
})
const summary = (events: readonly EventDraft[]) =>
  events.map(({ kind, phase, severity, zone }) => [kind, phase, severity, zone])

describe('smoke and flame rule', () => {
  it('tells smoke over the forest as one forest fire from begin to end', () => {
    const { run } = plumeChain()
    const events = run(200, second => (second >= 10 && second < 60 ? [smokeAt(0.2, 0.2)] : []))
    expect(summary(events)).toEqual([
      ['forest-fire', 'began', 'major', 'hill'],
      ['forest-fire', 'ended', 'major', 'hill'],
    ])
    expect(events[0]!.happeningId).toBe(events[1]!.happeningId)
    expect(events[0]!.geometry).toEqual({ label: 'smoke', box: expect.any(Array) })
    for (const event of events) expect([...Value.Errors(Event, { ...event, evidence: [] })]).toEqual([])
  })

  it('tells which part of the picture the model looked at, where that was not all of it', () => {
    const { rule, step } = plumeChain()
    const region: [number, number, number, number] = [0.1, 0.2, 0.3, 0.4]
    const [reading] = step([]).readings.filter(({ type }) => type === 'plume')
    const [began] = rule.evaluate([{ ...reading!, present: true, region } as Reading], reading!.at)
    expect(began?.geometry).toEqual({ label: 'smoke', region })
    expect([...Value.Errors(Event, { ...began, evidence: [] })]).toEqual([])
  })

  it('raises the severity when flames join the smoke, once', () => {
    const { run } = plumeChain()
    const events = run(60, second => [smokeAt(0.2, 0.2), ...(second > 20 ? [flameAt(0.2, 0.25, second)] : [])])
    expect(summary(events)).toEqual([
      ['forest-fire', 'began', 'major', 'hill'],
      ['forest-fire', 'updated', 'critical', 'hill'],
    ])
  })

  it('calls smoke over a field straw burning, and graver outside the burning months', () => {
    const inMonth = (month: number) =>
      summary(plumeChain({}, {}, Date.UTC(2026, month - 1, 15)).run(10, () => [smokeAt(0.2, 0.7)]))
    expect(inMonth(6)).toEqual([['straw-burning', 'began', 'minor', 'rice']])
    expect(inMonth(1)).toEqual([['straw-burning', 'began', 'major', 'rice']])
  })

  it('calls fire among houses an urban fire', () => {
    expect(summary(plumeChain().run(10, second => [smokeAt(0.8, 0.5), flameAt(0.8, 0.5, second)]))[0]).toEqual([
      'urban-fire',
      'began',
      'critical',
      'houses',
    ])
  })

  it('raises nothing for a lamp that never flickers, nor for the cooking chimney', () => {
    const lamp: Puff = { label: 'flame', x: 0.8, y: 0.5, radius: 0.05, score: 0.95 }
    expect(plumeChain().run(120, () => [lamp, smokeAt(0.45, 0.85, 0.04)])).toEqual([])
  })

  it('does not end while the plume comes and goes within the dwell', () => {
    const events = plumeChain().run(600, second => (second % 60 < 15 ? [smokeAt(0.2, 0.2)] : []))
    expect(events.map(({ phase }) => phase)).toEqual(['began'])
  })

  it('neither begins nor ends while the lens is covered', () => {
    const { analytic, run } = plumeChain()
    expect(run(10, () => [smokeAt(0.2, 0.2)])).toHaveLength(1)
    analytic.suspend('the lens is covered')
    expect(run(600, () => [])).toEqual([])
    analytic.suspend(null)
    expect(run(10, () => [])).toEqual([])
  })

  it('takes an open fire over a restart', () => {
    const first = plumeChain()
    const [began] = first.run(10, () => [smokeAt(0.2, 0.2)])
    const second = plumeChain(
      {},
      { restored: JSON.parse(JSON.stringify(first.rule.state())) },
      Date.UTC(2026, 9, 27, 4),
    )
    const events = second.run(100, at => (at < 20 ? [smokeAt(0.2, 0.2)] : []))
    expect(summary(events)).toEqual([['forest-fire', 'ended', 'major', 'hill']])
    expect(events[0]!.happeningId).toBe(began!.happeningId)
  })

  it('gives the bearing of the plume from the calibration of the camera', () => {
    const bearing = (x: number) =>
      plumeChain({}, { view: { bearingDeg: 350, fieldOfViewDeg: 90 } }).run(10, () => [smokeAt(x, 0.2)])[0]!.bearingDeg
    expect(bearing(0.2)).toBeCloseTo(350 - (Math.atan(0.6) * 180) / Math.PI, 0)
    expect(bearing(0.8)).toBeCloseTo(350 + (Math.atan(0.6) * 180) / Math.PI - 360, 0)
  })

  it('takes the bearing of the foot of a plume that leans in the wind', () => {
    const leaning = [0, 1, 2, 3, 4].map(step => smokeAt(0.1 + 0.06 * step, 0.4 - 0.06 * step, 0.04))
    const view = { bearingDeg: 0, fieldOfViewDeg: 90 }
    const [began] = plumeChain({}, { view }).run(10, () => leaning)
    const [left, , width] = began!.geometry!.box!
    expect(left + width / 2).toBeGreaterThan(0.2)
    const footDeg = 360 - (Math.atan(0.8) * 180) / Math.PI
    expect(Math.abs(began!.bearingDeg! - footDeg)).toBeLessThan(2)
  })
})
