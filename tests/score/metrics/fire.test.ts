import type { LonLat } from '@watchpost/shared/contracts/primitives'
import { describe, expect, it } from 'vitest'
import { bearingErrors, bearingFrom, distanceM, intersections, meet } from '../../../scripts/score/metrics/bearing.js'
import { isRight, scoreFire } from '../../../scripts/score/metrics/fire.js'
import type { SeenEvent } from '../../../scripts/score/run-records.js'
import { event, incident } from '../run-example.js'
import { truthWith } from '../truth-example.js'

const fire = { id: 'fire', kind: 'forest-fire', from: 20, until: 90, onsetAt: 20, onePercentAt: 35 }
const truth = (change: object = {}) => truthWith({ family: 'hillside', happenings: [fire], ...change })
const seen = (change: Partial<SeenEvent>) =>
  event({ kind: 'forest-fire', t: 40, receivedT: 41, happeningId: 'p', ...change })

describe('fires', () => {
  it('are timed from the first smoke and from one percent of the picture', () => {
    const raised = incident({
      kind: 'forest-fire',
      raisedT: 41.5,
      happenings: [{ scene: 'example', happeningId: 'p' }],
    })
    const { detections } = scoreFire(truth(), 100, [seen({})], [raised])
    expect(detections[0]).toMatchObject({
      kind: 'forest-fire',
      fromOnsetS: 21,
      fromOnePercentS: 6,
      toIncidentS: 6.5,
      isCensored: false,
    })
  })

  it('that are missed count until the end of the play and are marked', () => {
    const { detections, confusion } = scoreFire(truth(), 80, [], [])
    expect(detections[0]).toMatchObject({ kind: null, fromOnePercentS: 45, toIncidentS: null, isCensored: true })
    expect(confusion).toEqual([{ truth: 'forest-fire', told: 'none' }])
  })

  it('that reach one percent after the end of the play are not asked for', () => {
    expect(scoreFire(truth(), 30, [], []).detections).toEqual([])
  })

  it('told as another kind are found, and wrong in kind', () => {
    const { detections, confusion } = scoreFire(truth(), 100, [seen({ kind: 'straw-burning' })], [])
    expect(detections[0]).toMatchObject({ kind: 'straw-burning', isCensored: false })
    expect(confusion.map(isRight)).toEqual([false])
  })

  it('are not found by what was told before they burned', () => {
    const score = scoreFire(truth(), 100, [seen({ t: 5, receivedT: 6 })], [])
    expect(score.detections[0]!.isCensored).toBe(true)
    expect(score.matched.size).toBe(0)
    expect(score.confusion).toEqual([
      { truth: 'forest-fire', told: 'none' },
      { truth: 'nothing', told: 'forest-fire' },
    ])
  })
})

describe('look-alikes', () => {
  const fog = { id: 'fog', kind: 'fog', from: 0, until: 100 }
  const chimney = { id: 'chimney', kind: 'chimney', from: 0, until: 100, box: [0.1, 0.2, 0.1, 0.2] }

  it('are right when nothing is told of them', () => {
    const { confusion } = scoreFire(truth({ happenings: [], lookAlikes: [fog] }), 100, [], [])
    expect(confusion).toEqual([{ truth: 'fog', told: 'none' }])
    expect(confusion.every(isRight)).toBe(true)
  })

  it('are confused with what is told while they last', () => {
    const score = scoreFire(truth({ happenings: [], lookAlikes: [fog] }), 100, [seen({})], [])
    expect(score.confusion).toEqual([{ truth: 'fog', told: 'forest-fire' }])
    expect(score.matched.size).toBe(0)
  })

  it('that stand where an event points explain it, also while a fire burns elsewhere', () => {
    const both = truth({ lookAlikes: [chimney], frames: [{ t: 40, plumeBox: [0.6, 0.3, 0.2, 0.2] }] })
    const atChimney = seen({ happeningId: 'c', box: [0.12, 0.25, 0.05, 0.05] })
    const atPlume = seen({ happeningId: 'p', box: [0.65, 0.35, 0.1, 0.1] })
    expect(scoreFire(both, 100, [atChimney], []).confusion).toEqual([
      { truth: 'forest-fire', told: 'none' },
      { truth: 'chimney', told: 'forest-fire' },
    ])
    expect(scoreFire(both, 100, [atChimney, atPlume], []).detections[0]!.events).toEqual([atPlume])
  })

  it('explain what is told far from the smoke while a fire burns: fog in another valley is not the fire', () => {
    const both = truth({ lookAlikes: [fog], frames: [{ t: 40, plumeBox: [0.36, 0.32, 0.07, 0.2] }] })
    const atFog = seen({ happeningId: 'f', box: [0.68, 0.5, 0.14, 0.12] })
    const atFoot = seen({ happeningId: 'p', box: [0.45, 0.5, 0.07, 0.07] })
    const score = scoreFire(both, 100, [atFog], [])
    expect(score.detections[0]!.isCensored).toBe(true)
    expect(score.matched.size).toBe(0)
    expect(score.confusion).toEqual([
      { truth: 'forest-fire', told: 'none' },
      { truth: 'fog', told: 'forest-fire' },
    ])
    expect(scoreFire(both, 100, [atFog, atFoot], []).detections[0]!.events).toEqual([atFoot])
  })

  it('are not needed: a scene of nothing is right when nothing is told', () => {
    expect(scoreFire(truth({ happenings: [] }), 100, [], []).confusion).toEqual([{ truth: 'nothing', told: 'none' }])
  })
})

describe('bearings', () => {
  const a: LonLat = [107.6, 16.4]
  const place: LonLat = [107.61, 16.41]

  it('are held against the plume of that moment, across north as well', () => {
    const north = truth({ frames: [{ t: 40, plumeBearingDeg: 358 }] })
    const { detections } = scoreFire(north, 100, [seen({ bearingDeg: 2 })], [])
    expect(bearingErrors(north, detections)[0]!.errorDeg).toBeCloseTo(4)
  })

  it('go to the place of the fire when the truth has no plume for the moment', () => {
    const placed = truth({ camera: { location: a }, happenings: [{ ...fire, location: place }] })
    const { detections } = scoreFire(placed, 100, [seen({ bearingDeg: bearingFrom(a, place) + 3 })], [])
    expect(bearingErrors(placed, detections)[0]!.errorDeg).toBeCloseTo(3)
  })

  it('of two cameras meet where the fire is when both are right', () => {
    const b: LonLat = [107.62, 16.4]
    const point = meet(a, bearingFrom(a, place), b, bearingFrom(b, place))!
    expect(distanceM(point, place)).toBeLessThan(1)
    expect(meet(a, 0, b, 0)).toBeNull()
    expect(meet(a, 270, b, 90)).toBeNull()
    expect(meet(a, 225, b, 135)).toBeNull()
  })

  it('know directions: east is 90, south 180', () => {
    expect(bearingFrom(a, [107.61, 16.4])).toBeCloseTo(90, 0)
    expect(bearingFrom(a, [107.6, 16.3])).toBeCloseTo(180, 5)
  })

  it('of two scenes that see one place give the error of their intersection in metres', () => {
    const b: LonLat = [107.62, 16.4]
    const look = (scene: string, location: LonLat, offDeg: number) => {
      const own = truth({ scene, camera: { location }, happenings: [{ ...fire, location: place }] })
      const told = seen({ scene, bearingDeg: bearingFrom(location, place) + offDeg })
      return { truth: own, detection: scoreFire(own, 100, [told], []).detections[0]! }
    }
    const [exact] = intersections([look('one', a, 0), look('two', b, 0)])
    expect(exact!.errorM).toBeLessThan(1)
    const [off] = intersections([look('one', a, 1), look('two', b, 0)])
    // One degree at 1.5 km is 27 m across the line of sight, along the other bearing a little more.
    expect(off!.errorM).toBeGreaterThan(20)
    expect(off!.errorM).toBeLessThan(60)
    expect(intersections([look('one', a, 0)])).toEqual([])
    const elsewhere = truth({
      scene: 'far',
      camera: { location: b },
      happenings: [{ ...fire, location: [107.7, 16.5] }],
    })
    const far = scoreFire(elsewhere, 100, [seen({ scene: 'far', bearingDeg: 10 })], []).detections[0]!
    expect(intersections([look('one', a, 0), { truth: elsewhere, detection: far }])).toEqual([])
  })
})
