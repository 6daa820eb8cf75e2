import { eventKinds } from '@watchpost/shared/contracts/event'
import { severities } from '@watchpost/shared/contracts/primitives'
import { describe, expect, it } from 'vitest'
import type { EventFact } from '../../../../central/incidents/engine/incident-record.js'
import { cameraIds, createWorld, fact } from '../facts.js'

/** Mulberry32: the same seed gives the same city on every machine. */
const randomOf = (seed: number) => () => {
  seed = (seed + 0x6d2b79f5) | 0
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
}

const eventsOf = (random: () => number): EventFact[] => {
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)]!
  return Array.from({ length: 25 }, (_, index) => {
    const kind = pick(eventKinds)
    const camera = pick(cameraIds)
    const beganMin = Math.floor(random() * 240)
    const phases = ['began', 'updated', 'updated', 'ended'] as const
    return phases.slice(0, 1 + Math.floor(random() * 4)).map((phase, step) =>
      fact({
        id: `${index}-${step}`,
        happening: `${index}`,
        kind,
        camera,
        phase,
        atMin: beganMin + step * Math.floor(random() * 12),
        severity: pick(severities),
        level: `${step}`,
        ...(kind === 'forest-fire' ? { bearingDeg: Math.floor(random() * 360) } : {}),
      }),
    )
  }).flat()
}

const shuffled = <T>(items: readonly T[], random: () => number): T[] =>
  items
    .map(item => ({ item, rank: random() }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ item }) => item)

/** Everything that must not depend on the order; ids, numbers and times of arrival may. */
const outcomeOf = (world: ReturnType<typeof createWorld>) =>
  world
    .incidents()
    .map(record => ({
      kind: record.kind,
      state: record.state,
      severity: record.severity,
      openedAt: record.openedAt,
      endedAt: record.endedAt,
      cameraId: record.cameraId,
      wardId: record.wardId,
      level: record.level,
      eventCount: record.eventCount,
      resolutionProposed: record.resolutionProposed,
      events: [...world.placements]
        .filter(([, id]) => id === record.id)
        .map(([eventId]) => eventId)
        .sort(),
    }))
    .sort((a, b) => (a.events[0]! < b.events[0]! ? -1 : 1))

describe('the same events in any order', () => {
  it('make the same incidents, one by one or in batches', () => {
    let merged = 0
    for (let seed = 1; seed <= 80; seed++) {
      const random = randomOf(seed)
      const events = eventsOf(random)
      const inOrder = createWorld()
      inOrder.apply(...[...events].sort((a, b) => a.phenomenonAt - b.phenomenonAt))
      for (let round = 0; round < 3; round++) {
        const world = createWorld()
        const batch = 1 + Math.floor(random() * 8)
        const queue = shuffled([...events, ...events.slice(0, 5)], random)
        for (let at = 0; at < queue.length; at += batch) {
          merged += world.apply(...queue.slice(at, at + batch)).merges.length
        }
        expect(outcomeOf(world), `seed ${seed}, round ${round}`).toEqual(outcomeOf(inOrder))
      }
    }
    expect(merged, 'the seeds must exercise merging').toBeGreaterThan(50)
  })
})
