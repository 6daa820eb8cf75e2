import { Value } from '@sinclair/typebox/value'
import { Event } from '@watchpost/shared/contracts/event'
import { describe, expect, it } from 'vitest'
import type { Reading } from '../../../edge/analytics/reading.js'
import { createRule } from '../../../edge/rules/create-rule.js'
import type { EventDraft } from '../../../edge/rules/rule.js'
import { seeded } from '../analytics/seeded.js'
import type { Actor } from '../analytics/street.js'
import { drive, type Signal, secondOf, trafficChain, trafficConfig } from './traffic-chain.js'

const phases = (events: readonly EventDraft[]) => events.map(({ kind, phase, zone }) => [kind, phase, zone])
const kinds = (events: readonly EventDraft[]) => events.filter(({ phase }) => phase === 'began').map(({ kind }) => kind)

/** Green until 5, amber until 8, red until 20, green again. */
const signal: Signal = second => (second < 5 || second >= 20 ? 'green' : second < 8 ? 'amber' : 'red')
const run = (...actors: Actor[]) => trafficChain().run(40, actors, signal).events

describe('red light', () => {
  it('is one happening with its end, for a car that drives over the line on red', () => {
    const events = run({ label: 'car', at: drive([9, 0.2, 0.15], [14, 0.2, 0.9]) })
    expect(phases(events)).toEqual([
      ['red-light', 'began', 'stop'],
      ['red-light', 'ended', 'stop'],
    ])
    const [began] = events
    expect(events[1]!.happeningId).toBe(began!.happeningId)
    expect(began!.happeningId).toMatch(/^nga-sau-1\/traffic\/\d+\/\d+-stop$/)
    expect(secondOf(began!)).toBeGreaterThan(11)
    expect(secondOf(began!)).toBeLessThan(13)
    expect(began!.measure!.value).toBeGreaterThan(2.5)
    expect(began!.measure!.value).toBeLessThan(4.5)
    expect(began!.geometry).toMatchObject({ label: 'car', box: expect.any(Array) })
    for (const event of events) expect([...Value.Errors(Event, { ...event, evidence: [] })]).toEqual([])
  })

  it('is seen of a vehicle that drives away from the camera', () => {
    expect(kinds(run({ label: 'motorcycle', at: drive([10, 0.6, 0.9], [14, 0.6, 0.15]) }))).toEqual(['red-light'])
  })

  it.each<[string, Actor]>([
    ['crosses on green', { label: 'car', at: drive([0, 0.2, 0.15], [4.5, 0.2, 0.9]) }],
    ['crosses on amber', { label: 'car', at: drive([4, 0.2, 0.15], [8.5, 0.2, 0.95]) }],
    ['waits for green', { label: 'car', at: drive([6, 0.2, 0.15], [10, 0.2, 0.5], [21, 0.2, 0.5], [24, 0.2, 0.95]) }],
    [
      'stops with its front over the line',
      { label: 'bus', at: drive([6, 0.2, 0.15], [10, 0.2, 0.585], [22, 0.2, 0.585], [25, 0.2, 0.95]) },
    ],
    [
      'has its front over the line as red begins',
      { label: 'bus', at: drive([4, 0.2, 0.15], [7.9, 0.2, 0.57], [9, 0.2, 0.7], [11, 0.2, 0.95]) },
    ],
    ['comes from behind the line', { label: 'car', at: drive([9, 0.62, 0.95], [14, 0.62, 0.55]) }],
  ])('is not charged to a vehicle that %s', (_, actor) => {
    expect(run(actor)).toEqual([])
  })

  it('is charged once when a detector makes two tracks of one vehicle', () => {
    const config = { ...trafficConfig, lines: trafficConfig.lines.slice(0, 1) }
    const rule = createRule(config, { cameraId: 'c' })
    const crossing = (trackId: number, at: number, x: number): Reading => ({
      type: 'crossing',
      at,
      line: 'stop',
      kind: 'stop-line',
      trackId,
      label: 'motorcycle',
      confidence: 0.5,
      direction: 'forward',
      lamp: { colour: 'red', sinceMs: 5000 },
      box: [x, 0.45, 0.05, 0.2],
    })
    const events = [crossing(1, 1000, 0.3), crossing(2, 1125, 0.31), crossing(3, 1250, 0.45)].flatMap(reading =>
      rule.evaluate([reading], reading.at),
    )
    expect(events.map(({ happeningId }) => happeningId)).toEqual(['c/traffic/1000/1-stop', 'c/traffic/1250/3-stop'])
  })

  it('is charged after the grace and not within it', () => {
    const crossing: Actor = { label: 'car', at: drive([6.5, 0.2, 0.15], [10.1, 0.2, 0.9]) }
    const withGrace = (redGraceSeconds: number) =>
      kinds(trafficChain({ redGraceSeconds }).run(20, [crossing], signal).events)
    expect([withGrace(0.1), withGrace(3)]).toEqual([['red-light'], []])
  })
})

describe('other traffic rules', () => {
  it('tells a wrong-way driver once, through both lanes, until it has gone', () => {
    const events = run({ label: 'motorcycle', at: drive([1, 0.3, 0.92], [8, 0.3, 0.15]) })
    expect(phases(events)).toEqual([
      ['wrong-way', 'began', 'towards'],
      ['wrong-way', 'ended', 'towards'],
    ])
    expect(secondOf(events[1]!)).toBeGreaterThan(8)
    expect(secondOf(events[1]!)).toBeLessThan(16)
  })

  it('does not take a car that backs up a little, or one that turns around, for a wrong-way driver', () => {
    expect(
      run({ label: 'car', at: drive([0, 0.3, 0.2], [3, 0.3, 0.5], [5, 0.3, 0.45], [21, 0.3, 0.45], [24, 0.3, 0.95]) }),
    ).toEqual([])
  })

  it.each([0.6, 1])(
    'does not accuse a waiting rider whose track jumps to the next in the queue, %s s later',
    unseen => {
      const size = [0.06, 0.16] as const
      const front: Actor = { label: 'motorcycle', size, at: drive([0, 0.6, 0.5], [3, 0.6, 0.5]) }
      const behind: Actor = { label: 'motorcycle', size, at: drive([3 + unseen, 0.6, 0.68], [12, 0.6, 0.68]) }
      const { tracks, events } = trafficChain().run(12, [front, behind])
      expect(new Set(tracks.flat().map(({ id }) => id)).size, 'the two are one track').toBe(1)
      expect(events).toEqual([])
    },
  )

  it('tells who crosses the solid line, either way, once', () => {
    expect(
      phases(run({ label: 'car', at: drive([0, 0.4, 0.15], [2, 0.4, 0.3], [4, 0.6, 0.3], [6, 0.6, 0.15]) })),
    ).toEqual([
      ['line-crossing', 'began', 'middle'],
      ['line-crossing', 'ended', 'middle'],
    ])
  })

  it('lets a one-sided line be crossed from its broken side', () => {
    const lines = [
      {
        id: 'middle',
        kind: 'solid-line' as const,
        points: [
          [0.5, 0.1],
          [0.5, 0.95],
        ] as [number, number][],
        forward: [1, 0] as [number, number],
      },
    ]
    const to = (from: number, until: number): Actor => ({ label: 'car', at: drive([0, from, 0.3], [3, until, 0.3]) })
    const events = (actor: Actor) => kinds(trafficChain({ lines, lanes: [] }).run(6, [actor]).events)
    expect([events(to(0.3, 0.7)), events(to(0.7, 0.3))]).toEqual([[], ['line-crossing']])
  })

  it('tells who drives into a closed zone, until it leaves', () => {
    const events = run({ label: 'motorcycle', at: drive([0, 0.83, 0.2], [6, 0.83, 0.7], [12, 0.83, 0.98]) })
    expect(phases(events)).toEqual([
      ['no-entry', 'began', 'pavement'],
      ['no-entry', 'ended', 'pavement'],
    ])
  })

  it('tells who stands where nobody may, from the limit on until it drives away, as often as it stops', () => {
    const events = trafficChain().run(90, [
      {
        label: 'car',
        at: drive([0, 0.94, 0.1], [4, 0.94, 0.5], [30, 0.94, 0.5], [33, 0.94, 0.7], [60, 0.94, 0.7], [62, 0.94, 0.98]),
      },
    ]).events
    expect(phases(events)).toEqual([
      ['illegal-stopping', 'began', 'bus-stop'],
      ['illegal-stopping', 'ended', 'bus-stop'],
      ['illegal-stopping', 'began', 'bus-stop'],
      ['illegal-stopping', 'ended', 'bus-stop'],
    ])
    expect(secondOf(events[0]!)).toBeGreaterThan(13.5)
    expect(secondOf(events[0]!)).toBeLessThan(16)
  })

  it('knows a standing car again behind a bus, after a restart and after a covered lens', () => {
    const parked: Actor = { label: 'car', at: () => [0.94, 0.5] }
    const hidden: Actor = { ...parked, at: second => (second > 20 && second < 24 ? null : [0.94, 0.5]) }
    const first = trafficChain()
    const began = first.run(40, [hidden]).events
    expect(phases(began)).toEqual([['illegal-stopping', 'began', 'bus-stop']])
    first.analytic.suspend('the lens is covered')
    expect(first.run(60, [], undefined, undefined, 40).events).toEqual([])
    first.analytic.suspend(null)
    expect(first.run(20, [parked], undefined, undefined, 100).events).toEqual([])
    const second = trafficChain({}, { restored: JSON.parse(JSON.stringify(first.rule.state())) })
    const after = second.run(
      40,
      [{ ...parked, at: at => (at < 220 ? [0.94, 0.5] : null) }],
      undefined,
      undefined,
      200,
    ).events
    expect(phases(after)).toEqual([['illegal-stopping', 'ended', 'bus-stop']])
    expect(after[0]!.happeningId).toBe(began[0]!.happeningId)
  })

  it('ends after a restart what a vehicle long gone had begun', () => {
    const first = trafficChain()
    expect(kinds(first.run(6, [{ label: 'car', at: drive([1, 0.3, 0.92], [8, 0.3, 0.15]) }]).events)).toEqual([
      'wrong-way',
    ])
    const second = trafficChain({}, { restored: JSON.parse(JSON.stringify(first.rule.state())) })
    expect(phases(second.run(10, []).events)).toEqual([['wrong-way', 'ended', 'towards']])
    expect(second.rule.state()).toEqual({ version: 1, open: [] })
  })

  it('refuses lines without what they need', () => {
    const line = {
      id: 'a',
      kind: 'stop-line' as const,
      points: [
        [0, 0.5],
        [1, 0.5],
      ] as [number, number][],
    }
    expect(() => trafficChain({ lines: [line] })).toThrow(/stop line a has no forward/)
    expect(() => trafficChain({ lines: [{ ...line, forward: [0, 1], lamp: 'moon' }] })).toThrow(/names lamp moon/)
    expect(() => trafficChain({ lines: [{ ...line, forward: [0, 0] }] })).toThrow(/no direction/)
  })
})

describe('a busy street seen through an imperfect detector', () => {
  it.each(Array.from({ length: 20 }, (_, seed) => [seed + 1]))(
    'charges every offender once and nobody else (seed %i)',
    seed => {
      const random = seeded(seed)
      const vehicle = () => (['car', 'motorcycle', 'bus', 'motorcycle'] as const)[random.below(4)]!
      const lateral = () => random.between(-0.01, 0.01)
      // Offenders and others take turns in time and lane, so that truth does not hang on the tracker's luck in a crowd.
      const runner: Actor = {
        label: vehicle(),
        at: drive([10 + random.next(), 0.16 + lateral(), 0.15], [14 + random.next(), 0.16, 0.93]),
      }
      const ghostRider: Actor = {
        label: 'motorcycle',
        at: drive([1, 0.4 + lateral(), 0.93], [6 + random.next(), 0.4, 0.15]),
      }
      const waiter: Actor = {
        label: vehicle(),
        at: drive([7, 0.3, 0.15], [10, 0.3 + lateral(), 0.46], [21, 0.3, 0.46], [25, 0.3, 0.93]),
      }
      const obeying: Actor = {
        label: vehicle(),
        at: drive([22 + random.next(), 0.16, 0.15], [27 + random.next(), 0.16, 0.93]),
      }
      const leaving: Actor = { label: vehicle(), at: drive([22, 0.62, 0.93], [27 + random.next(), 0.62, 0.15]) }
      const parked: Actor = {
        label: 'car',
        at: drive([2, 0.94, 0.15], [5, 0.94, 0.5], [30, 0.94, 0.5], [33, 0.94, 0.98]),
      }
      const flaws = { random, jitter: 0.03, dropout: 0.1, ghosts: 0.05 }
      const { events } = trafficChain().run(45, [runner, ghostRider, waiter, obeying, leaving, parked], signal, flaws)
      expect(kinds(events).sort()).toEqual(['illegal-stopping', 'red-light', 'wrong-way'])
      expect(events.filter(({ phase }) => phase === 'ended')).toHaveLength(3)
    },
  )
})
