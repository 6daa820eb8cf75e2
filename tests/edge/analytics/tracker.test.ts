import { describe, expect, it } from 'vitest'
import { iou } from '../../../edge/analytics/geometry.js'
import { type RoadUser, roadUsersOf } from '../../../edge/analytics/road-users.js'
import { createTracker, type Track } from '../../../edge/analytics/tracker.js'
import { seeded } from './seeded.js'
import { type Actor, detectionsOf, frameTimes } from './street.js'

/** The id of the track that lay over each actor in each frame, where there was one. */
const idsPerActor = (actors: readonly Actor[], seconds: number, flaws?: Parameters<typeof detectionsOf>[2]) => {
  const tracker = createTracker({ minConfidence: 0.3 })
  const ids = actors.map((): number[] => [])
  const all = new Set<number>()
  for (const second of frameTimes(seconds)) {
    const { tracks } = tracker.update(second * 1000, roadUsersOf(detectionsOf(actors, second, flaws)))
    for (const { id } of tracks) all.add(id)
    actors.forEach((actor, index) => {
      const [truth] = roadUsersOf(detectionsOf([actor], second))
      if (!truth) return
      const best = tracks.reduce<Track | null>(
        (best, one) => (iou(one.box, truth.box) > (best ? iou(best.box, truth.box) : 0.3) ? one : best),
        null,
      )
      if (best) ids[index]!.push(best.id)
    })
  }
  return { ids, all }
}
const straight =
  (from: readonly [number, number], to: readonly [number, number], begin: number, end: number) =>
  (second: number): readonly [number, number] | null => {
    const share = (second - begin) / (end - begin)
    return share < 0 || share > 1 ? null : [from[0] + (to[0] - from[0]) * share, from[1] + (to[1] - from[1]) * share]
  }

const parked: RoadUser = { label: 'car', confidence: 0.8, vehicleConfidence: 0.8, box: [0.4, 0.4, 0.1, 0.1] }

describe('tracker', () => {
  it('keeps the ids of vehicles in their lanes through jitter, missed detections and ghosts', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const random = seeded(seed)
      const actors: Actor[] = [0.2, 0.4, 0.6, 0.8].map((x, lane) => ({
        label: (['car', 'motorcycle', 'bus', 'motorcycle'] as const)[lane]!,
        at:
          lane % 2
            ? straight([x, 0.2], [x, 0.95], random.between(0, 1), 8)
            : straight([x, 0.95], [x, 0.2], random.between(0, 1), 8),
      }))
      const { ids } = idsPerActor(actors, 8, { random, jitter: 0.05, dropout: 0.15, ghosts: 0.1 })
      expect(
        ids.map(one => new Set(one).size),
        `seed ${seed}`,
      ).toEqual([1, 1, 1, 1])
    }
  })

  it('keeps two motorbikes apart that pass each other', () => {
    let kept = 0
    for (let seed = 1; seed <= 20; seed++) {
      const actors: Actor[] = [
        { label: 'motorcycle', at: straight([0.1, 0.5], [0.9, 0.52], 0, 5) },
        { label: 'motorcycle', at: straight([0.9, 0.53], [0.1, 0.5], 0, 5) },
      ]
      const { ids } = idsPerActor(actors, 5, { random: seeded(seed), jitter: 0.03, dropout: 0.05, ghosts: 0 })
      const [there, back] = ids
      if (there![0] === there!.at(-1) && back![0] === back!.at(-1) && there![0] !== back![0]) kept++
    }
    expect(kept).toBeGreaterThanOrEqual(18)
  })

  it('carries a vehicle on through a second behind another', () => {
    const actors: Actor[] = [{ label: 'car', at: straight([0.1, 0.6], [0.9, 0.6], 0, 6) }]
    const hidden = {
      ...actors[0]!,
      at: (second: number) => (second > 2.5 && second < 3.5 ? null : actors[0]!.at(second)),
    }
    expect([...idsPerActor([hidden], 6).all]).toHaveLength(1)
  })

  it('lets a faint detection carry a track on but never begin one', () => {
    const tracker = createTracker({ minConfidence: 0.3 })
    const car = (confidence: number) => [{ ...parked, confidence }]
    for (let frame = 0; frame < 20; frame++) expect(tracker.update(frame * 125, car(0.2)).tracks).toEqual([])
    for (let frame = 20; frame < 24; frame++) tracker.update(frame * 125, car(0.8))
    for (let frame = 24; frame < 60; frame++) expect(tracker.update(frame * 125, car(0.2)).tracks).toHaveLength(1)
  })

  it('confirms nothing that is seen only once or twice', () => {
    const tracker = createTracker({ minConfidence: 0.3 })
    const random = seeded(4)
    for (let frame = 0; frame < 400; frame++) {
      const ghost: RoadUser = {
        label: 'car',
        confidence: 0.7,
        vehicleConfidence: 0.7,
        box: [random.between(0, 0.9), random.between(0, 0.9), 0.05, 0.05],
      }
      expect(tracker.update(frame * 125, frame % 3 ? [] : [ghost]).tracks).toEqual([])
    }
  })

  it('ends a track once, after it has been lost for longer than an occlusion, and never uses its id again', () => {
    const tracker = createTracker({ minConfidence: 0.3 })
    const car = [parked]
    for (let frame = 0; frame < 8; frame++) tracker.update(frame * 125, car)
    const ended = Array.from({ length: 40 }, (_, frame) => [...tracker.update(1000 + frame * 125, []).ended])
    expect(ended.flat()).toEqual([1])
    expect(ended.findIndex(one => one.length > 0) * 125).toBeGreaterThanOrEqual(1500)
    for (let frame = 0; frame < 4; frame++) tracker.update(9000 + frame * 125, car)
    expect(tracker.endAll()).toEqual([2])
  })

  it('takes a person for a rider once a vehicle was faintly found under them, and tells where they had been', () => {
    const tracker = createTracker({ minConfidence: 0.3 })
    const person = (frame: number): RoadUser => ({
      label: 'person',
      confidence: 0.5,
      vehicleConfidence: 0,
      box: [0.4, 0.3 + frame * 0.01, 0.05, 0.2],
    })
    const rider = (frame: number): RoadUser => ({ ...person(frame), label: 'motorcycle', vehicleConfidence: 0.15 })
    const outputs = Array.from({ length: 20 }, (_, frame) =>
      tracker.update(frame * 125, [frame % 3 === 2 ? rider(frame) : person(frame)]),
    )
    const first = outputs.findIndex(({ tracks }) => tracks.length > 0)
    expect(first).toBe(5)
    expect(outputs[first]!.tracks[0]).toMatchObject({ id: 1, label: 'motorcycle' })
    expect(outputs[first]!.tracks[0]!.past.map(({ at }) => at)).toEqual([0, 125, 250, 375, 500])
    expect(outputs[first + 1]!.tracks[0]!.past).toEqual([])
  })

  it('never tells who walks, even past a parked motorbike', () => {
    const tracker = createTracker({ minConfidence: 0.3 })
    for (let frame = 0; frame < 100; frame++) {
      const box: RoadUser['box'] = [0.2 + frame * 0.005, 0.4, 0.05, 0.2]
      const walker: RoadUser = { label: 'person', confidence: 0.6, vehicleConfidence: 0, box }
      const near = frame === 50 || frame === 51
      const seen: RoadUser = near ? { ...walker, label: 'motorcycle', vehicleConfidence: 0.6 } : walker
      expect(tracker.update(frame * 125, [seen]).tracks, `frame ${frame}`).toEqual([])
    }
    expect(tracker.endAll()).toEqual([])
  })

  it('gives a vehicle the label it was seen as most', () => {
    const tracker = createTracker({ minConfidence: 0.3 })
    const seen = (label: 'car' | 'truck') => [{ ...parked, label }]
    for (let frame = 0; frame < 9; frame++) tracker.update(frame * 125, seen(frame % 3 === 0 ? 'truck' : 'car'))
    expect(tracker.update(1250, seen('truck')).tracks[0]!.label).toBe('car')
  })
})
