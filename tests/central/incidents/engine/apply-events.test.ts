import type { IncidentState } from '@watchpost/shared/api/incidents'
import { describe, expect, it } from 'vitest'
import { transition } from '../../../../central/incidents/engine/commands.js'
import { createWorld, fact, minute, startAt } from '../facts.js'

const reviewer = { name: 'lan', role: 'reviewer' } as const

const worldWith = (...states: IncidentState[]) => {
  const world = createWorld()
  world.apply(fact({ id: 'first', severity: 'minor' }))
  states.forEach((to, index) => {
    const result = transition(world.incidents()[0]!, { to, note: 'why' }, reviewer, startAt + (index + 1) * minute)
    if (!result.ok) throw new Error(result.message)
    world.put(result.changes)
  })
  return world
}

describe('applyEvents', () => {
  it('opens an incident with the place and severity of its first event', () => {
    const world = createWorld()
    const { timeline } = world.apply(fact({ severity: 'major', level: 'knee-deep' }))
    expect(world.incidents()).toMatchObject([
      { state: 'new', severity: 'major', wardId: 'thuan-hoa', hotspotId: 'le-loi', openedAt: startAt, endedAt: null },
    ])
    expect(timeline.map(entry => entry.action)).toEqual(['opened', 'assigned'])
  })

  it('keeps every phase of a happening in one incident, in whatever order they arrive', () => {
    const world = createWorld()
    world.apply(fact({ phase: 'ended', atMin: 90, severity: 'info' }))
    world.apply(fact({ phase: 'updated', atMin: 40, severity: 'critical', level: 'waist-deep' }))
    world.apply(fact({ phase: 'began', atMin: 0 }))
    expect(world.incidents()).toMatchObject([
      {
        eventCount: 3,
        severity: 'critical',
        openedAt: startAt,
        endedAt: startAt + 90 * minute,
        level: { value: null },
      },
    ])
  })

  it('applies an envelope once', () => {
    const world = createWorld()
    const event = fact({ id: 'same' })
    world.apply(event, event)
    const again = world.apply(event)
    expect(world.incidents()).toMatchObject([{ eventCount: 1 }])
    expect(again).toEqual({ incidents: [], timeline: [], placements: [], merges: [] })
  })

  it('proposes resolution when all happenings have ended, and leaves closing to people', () => {
    const world = createWorld()
    world.apply(fact({ happening: 'a', kind: 'forest-fire' }))
    world.apply(fact({ happening: 'b', kind: 'forest-fire', camera: 'le-loi-2', atMin: 1 }))
    world.apply(fact({ happening: 'a', kind: 'forest-fire', phase: 'ended', atMin: 5 }))
    expect(world.incidents()).toMatchObject([{ resolutionProposed: false, endedAt: null }])
    const { timeline } = world.apply(
      fact({ happening: 'b', kind: 'forest-fire', camera: 'le-loi-2', phase: 'ended', atMin: 6 }),
    )
    expect(world.incidents()).toMatchObject([{ resolutionProposed: true, state: 'new' }])
    expect(timeline.map(entry => entry.action)).toEqual(['event', 'proposed'])
  })

  it.each([
    ['fires 100 m apart', { kind: 'straw-burning', camera: 'le-loi-2', atMin: 10 }, 1],
    ['fires 2 km apart', { kind: 'straw-burning', camera: 'an-cuu-1', atMin: 10 }, 2],
    ['fires an hour apart', { kind: 'straw-burning', camera: 'le-loi-2', atMin: 60 }, 2],
    ['kinds that differ', { kind: 'forest-fire', camera: 'le-loi-2', atMin: 1 }, 2],
  ] as const)('decides by kind, place and event time: %s', (_title, second, count) => {
    const world = createWorld()
    world.apply(fact({ kind: 'straw-burning', happening: 'one' }))
    world.apply(fact({ happening: 'two', ...second }))
    expect(world.incidents()).toHaveLength(count)
  })

  it('keeps floods of different hotspots apart, however near', () => {
    const world = createWorld()
    world.apply(fact({ happening: 'one' }), fact({ happening: 'two', camera: 'le-loi-2' }))
    expect(world.incidents()).toHaveLength(2)
  })

  it('knows a fire that two hills see by where their sight lines meet', () => {
    const fire = (camera: string, bearingDeg?: number) =>
      fact({ kind: 'forest-fire', camera, ...(bearingDeg === undefined ? {} : { bearingDeg }) })
    const incidentsOf = (...facts: ReturnType<typeof fact>[]) => {
      const world = createWorld()
      for (const one of facts) world.apply(one)
      return world.incidents().length
    }
    expect(incidentsOf(fire('hill-a', 45), fire('hill-b', 315))).toBe(1)
    expect(incidentsOf(fire('hill-b', 315), fire('hill-a', 45))).toBe(1)
    // Behind the cameras, apart, too far away, and where nobody knows the bearing.
    expect(incidentsOf(fire('hill-a', 225), fire('hill-b', 135))).toBe(2)
    expect(incidentsOf(fire('hill-a', 315), fire('hill-b', 45))).toBe(2)
    expect(incidentsOf(fire('hill-a', 5), fire('hill-b', 1))).toBe(2)
    expect(incidentsOf(fire('hill-a', 45), fire('hill-b'))).toBe(2)
    expect(incidentsOf(fire('hill-a', 45), fact({ kind: 'straw-burning', camera: 'hill-b', bearingDeg: 315 }))).toBe(2)
  })

  it('makes one incident of each traffic violation, even at one camera in one second', () => {
    const world = createWorld()
    world.apply(fact({ kind: 'red-light', happening: 'car' }), fact({ kind: 'red-light', happening: 'motorbike' }))
    expect(world.incidents()).toHaveLength(2)
  })

  it('places a late backlog by event time, not by arrival', () => {
    const world = createWorld()
    world.apply(fact({ happening: 'early', atMin: 0 }), fact({ happening: 'now', atMin: 300 }))
    world.apply(fact({ happening: 'late', atMin: 8 }))
    expect(world.incidents().map(record => record.eventCount)).toEqual([2, 1])
  })

  it('merges incidents that a late event shows to be one, and says so on both', () => {
    const world = createWorld()
    world.apply(fact({ id: 'a', happening: 'a', atMin: 0 }), fact({ id: 'c', happening: 'c', atMin: 28 }))
    expect(world.incidents()).toHaveLength(2)
    const { merges, timeline } = world.apply(fact({ id: 'b', happening: 'b', atMin: 14 }))
    expect(merges).toEqual([{ from: 'c', into: 'a' }])
    expect(world.incidents()).toMatchObject([{ id: 'a', eventCount: 3 }])
    expect(world.get('c')).toMatchObject({ state: 'duplicate', duplicateOf: 'a', eventCount: 0 })
    expect(world.placements.get('c')).toBe('a')
    expect(timeline.filter(entry => entry.action === 'merged').map(entry => entry.incidentId)).toEqual(['a', 'c'])
  })

  it('never merges away an incident that people work on', () => {
    const world = createWorld()
    world.apply(fact({ id: 'a', happening: 'a', atMin: 0 }), fact({ id: 'c', happening: 'c', atMin: 28 }))
    for (const id of ['a', 'c']) {
      const taken = transition(world.get(id), { to: 'acknowledged' }, reviewer, startAt)
      if (taken.ok) world.put(taken.changes)
    }
    world.apply(fact({ happening: 'b', atMin: 14 }))
    expect(world.incidents().map(record => record.state)).toEqual(['acknowledged', 'acknowledged'])
  })

  it('keeps the incident that people work on when it merges with an older untouched one', () => {
    const world = createWorld()
    world.apply(fact({ id: 'a', happening: 'a', atMin: 0 }), fact({ id: 'c', happening: 'c', atMin: 28 }))
    const taken = transition(world.get('c'), { to: 'acknowledged' }, reviewer, startAt)
    if (taken.ok) world.put(taken.changes)
    world.apply(fact({ happening: 'b', atMin: 14 }))
    expect(world.incidents()).toMatchObject([{ id: 'c', state: 'acknowledged', openedAt: startAt, eventCount: 3 }])
  })

  it.each([
    ['resolved', ['acknowledged', 'resolved'], 'reopened'],
    ['closed', ['acknowledged', 'resolved', 'closed'], 'reopened'],
    ['falsePositive', ['falsePositive'], 'reopened'],
    ['shelved', ['shelved'], 'reopened'],
    ['duplicate', ['duplicate'], 'duplicate'],
  ] as const)('a %s incident whose happening gets worse is then %3$s', (_state, states, after) => {
    const world = worldWith(...states)
    const { timeline } = world.apply(fact({ phase: 'updated', severity: 'critical', atMin: 10 }))
    expect(world.incidents()).toMatchObject([{ state: after, severity: 'critical' }])
    expect(timeline.filter(entry => entry.action === 'state')).toHaveLength(after === 'reopened' ? 1 : 0)
  })

  it('lets a settled incident rest when its happening goes on as it was', () => {
    const world = worldWith('acknowledged', 'resolved')
    world.apply(fact({ phase: 'updated', severity: 'minor', atMin: 10 }))
    expect(world.incidents()).toMatchObject([{ state: 'resolved', eventCount: 2 }])
  })

  it('opens a new incident when the same begins again after people settled it', () => {
    const world = worldWith('acknowledged', 'resolved')
    world.apply(fact({ happening: 'again', severity: 'minor', atMin: 10 }))
    expect(world.incidents().map(record => record.state)).toEqual(['resolved', 'new'])
  })

  it('reopens a resolved incident when something worse begins there within the window', () => {
    const world = worldWith('acknowledged', 'resolved')
    world.apply(fact({ happening: 'again', severity: 'major', atMin: 10 }))
    expect(world.incidents()).toMatchObject([{ state: 'reopened', severity: 'major', eventCount: 2 }])
  })

  it('takes a late report of what was already settled into the settled incident', () => {
    const world = worldWith('acknowledged', 'resolved')
    world.apply(fact({ happening: 'backlog', severity: 'minor', atMin: 1 }))
    expect(world.incidents()).toMatchObject([{ state: 'resolved', eventCount: 2 }])
  })

  it('records data loss without raising an incident', () => {
    const world = createWorld()
    world.apply(fact({ id: 'loss', kind: 'data-loss' }))
    expect(world.incidents()).toEqual([])
    expect(world.placements.get('loss')).toBeNull()
  })
})
