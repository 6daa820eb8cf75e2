import { Value } from '@sinclair/typebox/value'
import { Event } from '@watchpost/shared/contracts/event'
import { describe, expect, it } from 'vitest'
import type { Reading } from '../../../edge/analytics/reading.js'
import type { FloodAnalytic } from '../../../edge/config/agent-config.js'
import { createRule } from '../../../edge/rules/create-rule.js'
import type { EventDraft, Rule } from '../../../edge/rules/rule.js'
import { floodDefaults, startMs } from '../analytics/inputs.js'

const config: FloodAnalytic = {
  ...floodDefaults,
  gauge: {
    points: [
      { x: 0.5, y: 0.9, cm: 0 },
      { x: 0.5, y: 0.1, cm: 100 },
    ],
    halfWidth: 0.03,
  },
  levels: [
    { name: 'ankle', cm: 10, severity: 'minor' },
    { name: 'knee', cm: 40, severity: 'major' },
    { name: 'waist', cm: 80, severity: 'critical' },
  ],
}

const level = (at: number, levelCm: number | null, quality: 'good' | 'uncertain' | 'suspended' = 'good'): Reading => ({
  type: 'level',
  at,
  levelCm,
  bound: 'exact',
  rateCmPerHour: null,
  quality,
  confidence: 0.9,
})

/** Feeds one level a second from `fromSecond` on; null is a suspended reading. */
const feed = (rule: Rule, values: readonly (number | null)[], fromSecond = 0, quality?: 'uncertain'): EventDraft[] =>
  values.flatMap((value, index) => {
    const at = startMs + (fromSecond + index) * 1000
    return [...rule.evaluate([level(at, value, value === null ? 'suspended' : quality)], at)]
  })
const hold = <T>(value: T, secondsHeld: number): T[] => new Array<T>(secondsHeld).fill(value)
const summary = (events: readonly EventDraft[]) =>
  events.map(({ phase, level: name, severity }) => [phase, name, severity])

describe('flood rule', () => {
  it('tells a whole flood as one happening: began, every change of level, ended', () => {
    const rule = createRule(config, { cameraId: 'le-loi-1' })
    const events = feed(rule, [
      ...hold(0, 5),
      ...hold(15, 15),
      ...hold(50, 15),
      ...hold(90, 15),
      ...hold(50, 70),
      ...hold(0, 70),
    ])
    expect(summary(events)).toEqual([
      ['began', 'ankle', 'minor'],
      ['updated', 'knee', 'major'],
      ['updated', 'waist', 'critical'],
      ['updated', 'knee', 'major'],
      ['ended', 'ankle', 'minor'],
    ])
    expect(new Set(events.map(event => event.happeningId))).toEqual(
      new Set([`le-loi-1/flood/${startMs + 15_000}/level`]),
    )
    expect(events[0]!.measure).toEqual({ property: 'floodLevel', value: 15, unit: 'cm' })
    for (const event of events) expect([...Value.Errors(Event, { ...event, evidence: [] })]).toEqual([])
  })

  it('begins at the highest level when the water already stands there', () => {
    expect(summary(feed(createRule(config, { cameraId: 'c' }), hold(95, 12)))).toEqual([['began', 'waist', 'critical']])
  })

  it('changes nothing on suspended readings, however long, and starts the dwell anew after them', () => {
    const rule = createRule(config, { cameraId: 'c' })
    expect(feed(rule, hold(15, 9))).toEqual([])
    expect(feed(rule, hold(null, 600), 9)).toEqual([])
    expect(feed(rule, hold(15, 10), 609)).toEqual([])
    expect(summary(feed(rule, hold(15, 1), 619))).toEqual([['began', 'ankle', 'minor']])
    expect(feed(rule, [...hold(0, 30), ...hold(null, 600)], 620)).toEqual([])
  })

  it('begins on uncertain readings too, three times as slowly', () => {
    const rule = createRule(config, { cameraId: 'c' })
    expect(feed(rule, hold(15, 30), 0, 'uncertain')).toEqual([])
    expect(summary(feed(rule, hold(15, 2), 30, 'uncertain'))).toEqual([['began', 'ankle', 'minor']])
  })

  it('takes an open flood over a restart: no second happening, and the end of the first', () => {
    const before = createRule(config, { cameraId: 'c' })
    const began = feed(before, hold(50, 12))
    const after = createRule(config, { cameraId: 'c', restored: JSON.parse(JSON.stringify(before.state())) })
    expect(after.restoreProblem).toBeNull()
    expect(feed(after, hold(50, 100), 60)).toEqual([])
    const events = feed(after, [...hold(90, 12), ...hold(0, 70)], 160)
    expect(summary(events)).toEqual([
      ['updated', 'waist', 'critical'],
      ['ended', 'ankle', 'minor'],
    ])
    expect(events.every(event => event.happeningId === began[0]!.happeningId)).toBe(true)
    expect(after.state()).toEqual({ version: 1, open: [] })
  })

  it('finds its place again when the levels were changed while it was open', () => {
    const before = createRule(config, { cameraId: 'c' })
    feed(before, hold(50, 12))
    const restored = before.state()
    const changed = { ...config, levels: [{ name: 'any water', cm: 5, severity: 'major' as const }] }
    expect(summary(feed(createRule(changed, { cameraId: 'c', restored }), hold(0, 70)))).toEqual([
      ['ended', 'any water', 'major'],
    ])
    expect(summary(feed(createRule({ ...config, levels: [] }, { cameraId: 'c', restored }), hold(50, 2)))).toEqual([
      ['ended', 'knee', 'major'],
    ])
  })

  it('says why it could not take over a damaged state, and starts anew', () => {
    const rule = createRule(config, { cameraId: 'c', restored: { version: 0, open: 'x' } })
    expect(rule.restoreProblem).toMatch(/not of version 1/)
    expect(createRule(config, { cameraId: 'c', restored: { version: 1, open: [{}] } }).restoreProblem).toMatch(/1 of 1/)
    expect(summary(feed(rule, hold(15, 12)))).toEqual([['began', 'ankle', 'minor']])
  })

  it('uses share levels where there is no gauge', () => {
    const byShare: FloodAnalytic = {
      ...config,
      gauge: undefined,
      shareLevels: [{ name: 'half the road', share: 0.5, severity: 'major' }],
    }
    const rule = createRule(byShare, { cameraId: 'c' })
    const events = Array.from({ length: 12 }, (_, second) => {
      const at = startMs + second * 1000
      return rule.evaluate([{ type: 'flooded-share', at, share: 0.6, quality: 'good', confidence: 0.8 }], at)
    }).flat()
    expect(summary(events)).toEqual([['began', 'half the road', 'major']])
    expect(events[0]!.measure).toEqual({ property: 'floodShare', value: 0.6, unit: '1' })
  })

  it('refuses levels that do not ascend', () => {
    expect(() => createRule({ ...config, levels: [...config.levels].reverse() }, { cameraId: 'c' })).toThrow(
      /from low to high/,
    )
  })
})
