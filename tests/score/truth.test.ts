import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { analyticsOf } from '../../scripts/score/analytics-of.js'
import { loadScenes } from '../../scripts/score/scenes.js'
import { parseTruth } from '../../scripts/score/truth.js'
import { temporaryFolder } from '../helpers/clips.js'
import { leastTruth, truthWith } from './truth-example.js'

const city = fileURLToPath(new URL('../fixtures/city', import.meta.url))

describe('the truth of a scene', () => {
  it('is complete and consistent for every scene of the repository', () => {
    const scenes = loadScenes(city, { names: undefined, use: 'all' })
    expect(scenes.map(({ name }) => name)).toEqual(expect.arrayContaining(['flood-street', 'junction']))
    for (const { truth } of scenes) expect(analyticsOf(truth), truth.scene).not.toEqual([])
  })

  it('is refused with scene, path and reason of everything that is wrong at once', () => {
    const broken = {
      ...leastTruth,
      light: 'noon',
      camera: { location: [107.6] },
      happenings: [{ id: 'a', kind: 'red-lihgt', from: 1, until: 2 }],
    }
    const parse = () => parseTruth(broken, 'city/example/truth.json')
    expect(parse).toThrow(/The truth of example cannot be used \(city\/example\/truth\.json\)/)
    expect(parse).toThrow(/light .*noon/)
    expect(parse).toThrow(/camera\.location/)
    expect(parse).toThrow(/happenings\[0\]\.kind/)
  })

  it('is refused when it contradicts itself', () => {
    expect(() => truthWith({ happenings: [{ id: 'a', kind: 'red-light', from: 5, until: 2 }] })).toThrow(
      /happenings\[0\]\.until is before from \(5\)/,
    )
    expect(() => truthWith({ frames: [{ t: 1 }, { t: 1 }] })).toThrow(/frames\[1\]\.t is not after/)
    expect(() => truthWith({ frames: [{ t: 200 }] })).toThrow(/frames\[0\]\.t is after the clip's end/)
    const twice = { id: 'a', kind: 'red-light', from: 1, until: 2 }
    expect(() => truthWith({ happenings: [twice, twice] })).toThrow(/happenings\[1\]\.id is used twice/)
    expect(() => truthWith({ gauge: { points: [point(0), point(10)] } })).toThrow(/levels are missing/)
  })

  it('is not found under a name nobody knows, and the names there are are told', () => {
    expect(() => loadScenes(city, { names: ['flod-street'], use: 'all' })).toThrow(
      /no scene flod-street .*flood-street/,
    )
  })

  it('must lie in the folder of its own name, beside its clip', () => {
    const folder = temporaryFolder('scenes')
    mkdirSync(join(folder, 'other'))
    writeFileSync(join(folder, 'other/truth.json'), JSON.stringify(leastTruth))
    expect(() => loadScenes(folder, { names: undefined, use: 'all' })).toThrow(/"example", but it lies in other\//)
    mkdirSync(join(folder, 'example'))
    writeFileSync(join(folder, 'example/truth.json'), JSON.stringify(leastTruth))
    expect(() => loadScenes(folder, { names: ['example'], use: 'all' })).toThrow(/has no clip: .*example\.mp4/)
  })
})

const point = (cm: number) => ({ x: 0.5, y: 0.9 - cm / 100, cm })

describe('settings of a scene', () => {
  it('turn directions in pixels into fractions of the picture', () => {
    const [traffic] = analyticsOf(
      truthWith({
        family: 'junction',
        laneDirection: [
          {
            id: 'approach',
            polygon: [
              [0, 0],
              [1, 0],
              [1, 1],
            ],
            direction: [-0.2816, -0.9595],
          },
        ],
      }),
    )
    const [lane] = traffic!.lanes as { direction: [number, number] }[]
    expect(lane!.direction[0]).toBeCloseTo(-0.163, 3)
    expect(lane!.direction[1]).toBeCloseTo(-0.987, 3)
  })

  it('have the gauge from low to high, without points outside of the picture', () => {
    const levels = [{ name: 'knee', cm: 40, severity: 'major' }]
    const points = [point(30), point(0), { x: 0.5, y: 1.02, cm: -10 }]
    const [flood] = analyticsOf(truthWith({ gauge: { points }, levels }))
    expect((flood!.gauge as { points: { cm: number }[] }).points.map(({ cm }) => cm)).toEqual([0, 30])
  })
})
