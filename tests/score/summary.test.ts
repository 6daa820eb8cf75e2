import { describe, expect, it } from 'vitest'
import { holdsOf } from '../../scripts/score/holds.js'
import { scoreScene } from '../../scripts/score/score-scene.js'
import { summarise } from '../../scripts/score/summary.js'
import { event, incident, reading, runOf } from './run-example.js'
import { truthWith } from './truth-example.js'

const gauge = { points: [0, 60].map(cm => ({ x: 0.5, y: 0.9 - cm / 100, cm })) }
const levels = [{ name: 'wet', cm: 10, severity: 'minor' }]
const rising = Array.from({ length: 101 }, (_, t) => ({ t, waterCm: t / 2 }))
const street = (change: object = {}) => truthWith({ scene: 'street', gauge, levels, frames: rising, ...change })
const hold = (summary: ReturnType<typeof summarise>, id: string) => holdsOf(summary).find(one => one.id === id)!

describe('the summary', () => {
  it('of nothing is null everywhere, and no hold is reached or missed', () => {
    const summary = summarise([], [])
    expect(summary).toMatchObject({
      flood: { rmseCmDay: null, rmseCmNight: null, biasCm: null, wrongWhileSuspended: null },
      fire: { secondsToDetect: null, kindAccuracy: null, bearingErrorM: null },
      traffic: { precision: null, recall: null, idf1: null, hota: null },
      falseIncidentsPerCameraDay: null,
      duplicatesPerHappening: null,
    })
    expect(holdsOf(summary).every(({ reached }) => reached === null)).toBe(true)
  })

  it('pools readings of all clear days, and of night, dusk and rain', () => {
    const scene = (name: string, light: string, off: number, weather: string[] = []) => {
      const truth = street({ scene: name, light, weather })
      return scoreScene(runOf(truth, { levels: [reading(50, 25 + off)] }), [], null)
    }
    const { flood } = summarise(
      [scene('a', 'day', 3), scene('b', 'day', -1), scene('c', 'night', 6), scene('d', 'day', 8, ['rain'])],
      [],
    )
    expect(flood.rmseCmDay).toBe(2.24)
    expect(flood.rmseCmNight).toBe(7.07)
    expect(flood.biasCm).toBe(4)
  })

  it('asks for wrong levels under a covered lens only where one was covered', () => {
    const open = scoreScene(runOf(street()), [], null)
    const covered = street({ conditions: [{ kind: 'covered', from: 40, until: 60 }] })
    const wrong = scoreScene(runOf(covered, { levels: [reading(50, 0), reading(54, null, 'suspended')] }), [], null)
    expect(summarise([open], []).flood.wrongWhileSuspended).toBeNull()
    const summary = summarise([wrong], [])
    expect(summary.flood.wrongWhileSuspended).toBe(4)
    expect(hold(summary, 'flood-blind')).toMatchObject({ value: 4, reached: false })
  })

  it('counts a flood incident as real while the street is flooded and as false on a dry one', () => {
    const told = event({ scene: 'street', kind: 'flood-level', t: 30, happeningId: 'f', level: 'wet' })
    const raised = incident({
      scene: 'street',
      kind: 'flood-level',
      happenings: [{ scene: 'street', happeningId: 'f' }],
    })
    const wet = summarise([scoreScene(runOf(street(), { events: [told] }), [raised], null)], [raised])
    expect(wet.falseIncidents.all.count).toBe(0)
    expect(wet.duplicatesPerHappening).toBe(0)
    const dryRun = runOf(
      street({
        frames: [
          { t: 0, waterCm: 0 },
          { t: 100, waterCm: 0 },
        ],
      }),
      { events: [told] },
    )
    const dry = summarise([scoreScene(dryRun, [raised], null)], [raised])
    expect(dry.falseIncidents.all.count).toBe(1)
    expect(hold(dry, 'false-incidents').reached).toBe(false)
  })

  it('does not take a short play without false incidents for proof', () => {
    const summary = summarise([scoreScene(runOf(street()), [], null)], [])
    expect(summary.falseIncidentsPerCameraDay).toBe(0)
    expect(hold(summary, 'false-incidents').reached).toBeNull()
  })

  it('counts hours that are shown in minutes as hours only where it says so', () => {
    const quiet = truthWith({ scene: 'quiet', family: 'quiet', durationS: 432, timeScale: 200 })
    const { falseIncidents } = summarise([scoreScene(runOf(quiet), [], null)], [])
    expect(falseIncidents.quiet.cameraDays).toBe(0.005)
    expect(falseIncidents.quietByClock.cameraDays).toBe(1)
    expect(falseIncidents.quietByClock.upper95PerCameraDay).toBe(3)
  })

  it('misses the hold of time when a fire was never found, however short the play', () => {
    const fire = { id: 'fire', kind: 'forest-fire', from: 80, until: 100, onsetAt: 80, onePercentAt: 95 }
    const zone = {
      id: 'slope',
      landUse: 'forest',
      polygon: [
        [0, 0],
        [1, 0],
        [1, 1],
      ],
    }
    const hill = truthWith({ family: 'hillside', happenings: [fire], plumeZones: [zone] })
    const summary = summarise([scoreScene(runOf(hill), [], null)], [])
    expect(summary.fire).toMatchObject({ secondsToDetect: 5, missed: 1, kindAccuracy: 0 })
    expect(hold(summary, 'fire-time').reached).toBe(false)
  })

  it('knows nothing of kinds from silence about look-alikes, and counts what is told of them', () => {
    const zone = {
      id: 'slope',
      landUse: 'forest',
      polygon: [
        [0, 0],
        [1, 0],
        [1, 1],
      ],
    }
    const fog = truthWith({ plumeZones: [zone], lookAlikes: [{ id: 'f', kind: 'fog', from: 0, until: 100 }] })
    const silent = summarise([scoreScene(runOf(fog), [], null)], [])
    expect(silent.fire).toMatchObject({ kindAccuracy: null, confusion: { fog: { none: 1 } } })
    const told = event({ kind: 'forest-fire', t: 30 })
    expect(summarise([scoreScene(runOf(fog, { events: [told] }), [], null)], []).fire.kindAccuracy).toBe(0)
  })

  it('counts one fire seen by two cameras once', () => {
    const place = [107.61, 16.41]
    const zone = {
      id: 'slope',
      landUse: 'forest',
      polygon: [
        [0, 0],
        [1, 0],
        [1, 1],
      ],
    }
    const hill = (scene: string) =>
      truthWith({
        scene,
        family: 'hillside',
        plumeZones: [zone],
        happenings: [
          { id: 'fire', kind: 'forest-fire', from: 10, until: 90, onsetAt: 10, onePercentAt: 20, location: place },
        ],
      })
    const incidents = ['a', 'b'].map(scene =>
      incident({ id: scene, scene, kind: 'forest-fire', happenings: [{ scene, happeningId: scene }] }),
    )
    const scores = ['a', 'b'].map(scene => {
      const told = event({ scene, happeningId: scene, kind: 'forest-fire', t: 30 })
      return scoreScene(runOf(hill(scene), { events: [told] }), incidents, null)
    })
    expect(summarise(scores, incidents)).toMatchObject({
      duplicatesPerHappening: 1,
      falseIncidents: { all: { count: 0 } },
    })
  })
})
