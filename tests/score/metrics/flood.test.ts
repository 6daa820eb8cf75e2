import { describe, expect, it } from 'vitest'
import { scoreFlood } from '../../../scripts/score/metrics/flood.js'
import { floodedSpans, reachedAt, waterAt } from '../../../scripts/score/metrics/water.js'
import { event, incident, reading } from '../run-example.js'
import { truthWith } from '../truth-example.js'

/** Dry for 10 s, rises by 1 cm a second to 40 cm, stands, falls from second 70 on by 2 cm a second. */
const waterCm = (t: number) => Math.max(0, Math.min(40, t - 10, 40 - 2 * (t - 70)))
const frames = Array.from({ length: 101 }, (_, t) => ({ t, waterCm: waterCm(t) }))
const levels = [
  { name: 'wet', cm: 10, severity: 'minor' },
  { name: 'deep', cm: 30, severity: 'major' },
]
const points = [
  { x: 0.5, y: 0.9, cm: 0 },
  { x: 0.5, y: 0.4, cm: 60 },
]
const truth = (change: object = {}) => truthWith({ frames, levels, gauge: { points }, ...change })
const score = (...readings: readonly ReturnType<typeof reading>[]) => scoreFlood(truth(), 100, readings, [], [])

describe('true water', () => {
  it('lies between the frames that tell it, and is unknown far outside of them', () => {
    expect(waterAt(frames, 20.5)).toBeCloseTo(10.5)
    expect(waterAt(frames, 101)).toBe(0)
    expect(waterAt(frames, 110)).toBeNull()
    expect(waterAt([], 5)).toBeNull()
    expect(waterAt([{ t: 0 }, { t: 1, waterCm: 4 }], 1)).toBe(4)
  })

  it('reaches a level between two frames, at once when it begins above it, or never', () => {
    expect(reachedAt(frames, 10.25)).toBeCloseTo(20.25)
    expect(reachedAt([{ t: 0, waterCm: 50 }], 10)).toBe(0)
    expect(reachedAt(frames, 90)).toBeNull()
  })

  it('floods as often as it rises over the level', () => {
    const twice = [0, 20, 20, 0, 0, 20, 0].map((cm, t) => ({ t, waterCm: cm }))
    const spans = floodedSpans(twice, 10)
    expect(spans.map(({ from, until }) => [from, until])).toEqual([
      [0.5, 2],
      [4.5, 5],
    ])
  })
})

describe('flood score', () => {
  it('is RMSE, mean error and bias of good readings', () => {
    const { rmseCm, maeCm, biasCm } = score(reading(20, 13), reading(30, 16))
    expect(rmseCm).toBeCloseTo(Math.sqrt((9 + 16) / 2))
    expect(maeCm).toBeCloseTo(3.5)
    expect(biasCm).toBeCloseTo(-0.5)
  })

  it('is null without a reading, not zero', () => {
    expect(score()).toMatchObject({ rmseCm: null, biasCm: null, goodShare: null, lagS: null })
    expect(score(reading(20, null, 'suspended'))).toMatchObject({ rmseCm: null, goodShare: 0 })
  })

  it('leaves uncertain readings out of the error and counts them', () => {
    expect(score(reading(20, 10), reading(30, 60, 'uncertain'))).toMatchObject({ rmseCm: 0, goodShare: 0.5 })
  })

  it('tells the delay that explains the readings', () => {
    const late = frames.filter(({ t }) => t >= 4).map(({ t }) => reading(t, waterCm(t - 4)))
    const { lagS, rmseWithoutLagCm, rmseCm } = score(...late)
    expect(lagS).toBe(4)
    expect(rmseWithoutLagCm).toBeCloseTo(0)
    expect(rmseCm).toBeGreaterThan(2)
  })

  it('is by rain before light', () => {
    const lights = [
      { light: 'night', weather: [] },
      { light: 'night', weather: ['heavy-rain'] },
    ].map(change => scoreFlood(truth(change), 100, [], [], []).light)
    expect(lights).toEqual(['night', 'rain'])
  })

  it('does not ask for good readings while the lens is covered', () => {
    const covered = truth({ conditions: [{ kind: 'covered', from: 40, until: 60 }] })
    const { rmseCm, goodShare } = scoreFlood(covered, 100, [reading(30, 20), reading(45, 0)], [], [])
    expect([rmseCm, goodShare]).toEqual([0, 1])
  })

  it('counts the seconds of wrong good levels while the lens is covered or the camera moved, and no others', () => {
    const blind = truth({
      conditions: [
        { kind: 'moved', from: 40, until: 60 },
        { kind: 'wave', from: 0, until: 100 },
      ],
    })
    const readings = [
      reading(38, 3), // wrong, but before it
      reading(42, 32), // right
      reading(44, 3), // wrong for 2 s
      reading(46, 20, 'uncertain'),
      reading(48, null, 'suspended'), // for 8 s
      reading(56, 3), // wrong, until the camera stands right again: 4 s
      reading(66, 40),
    ]
    const { wrongWhileSuspendedS, suspension } = scoreFlood(blind, 100, readings, [], [])
    expect(wrongWhileSuspendedS).toBeCloseTo(6)
    expect(suspension).toEqual({ blindS: 20, suspendedS: 8, rightlyS: 8 })
  })

  it('lets a reading hold for ten seconds at most', () => {
    const { suspension } = score(reading(20, null, 'suspended'), reading(80, 20))
    expect(suspension.suspendedS).toBe(10)
  })

  it('tells the seconds from each level to its event, and to the incident for the lowest', () => {
    const events = [
      event({ t: 25, receivedT: 26, kind: 'flood-level', happeningId: 'f', level: 'wet' }),
      event({ t: 90, receivedT: 91, kind: 'flood-level', happeningId: 'f', level: 'wet', phase: 'ended' }),
    ]
    const raised = incident({
      kind: 'flood-level',
      raisedT: 26.5,
      happenings: [{ scene: 'example', happeningId: 'f' }],
    })
    const { crossings } = scoreFlood(truth(), 100, [], events, [raised])
    expect(crossings).toEqual([
      { level: 'wet', cm: 10, at: 20, toEventS: 6, toIncidentS: 6.5 },
      { level: 'deep', cm: 30, at: 40, toEventS: null, toIncidentS: null },
    ])
  })

  it('takes an event of a higher level for the lower ones too, and one of long before for none', () => {
    const told = (t: number, level: string) =>
      scoreFlood(truth(), 100, [], [event({ t, receivedT: t, kind: 'flood-level', level })], []).crossings.map(
        ({ toEventS }) => toEventS,
      )
    expect(told(42, 'deep')).toEqual([22, 2])
    expect(told(15, 'wet')).toEqual([-5, null])
    expect(told(5, 'wet')).toEqual([null, null])
  })

  it('does not ask for levels that are reached after the end of the play', () => {
    expect(scoreFlood(truth(), 30, [], [], []).crossings.map(({ level }) => level)).toEqual(['wet'])
  })
})
