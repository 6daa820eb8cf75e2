import { Value } from '@sinclair/typebox/value'
import { Observation } from '@watchpost/shared/contracts/observation'
import { describe, expect, it } from 'vitest'
import type { Analytic } from '../../../edge/analytics/analytic.js'
import { createAnalytic } from '../../../edge/analytics/create-analytic.js'
import type { Reading } from '../../../edge/analytics/reading.js'
import type { PlumeAnalytic } from '../../../edge/config/agent-config.js'
import { gridOf, type Puff, plumeChain, plumeConfig } from '../rules/plume-chain.js'
import { frameAt, resultOf, startMs } from './inputs.js'

const smoke = (x: number, y: number, radius = 0.1): Puff => ({ label: 'smoke', x, y, radius, score: 0.8 })
const plumesIn = (readings: readonly Reading[], zone: string, label = 'smoke') =>
  readings.filter(reading => reading.type === 'plume').find(plume => plume.zone === zone && plume.label === label)!

describe('smoke and flame analytic', () => {
  it('finds a plume present once k of the last n frames show it, and gone when they no longer do', () => {
    const { step } = plumeChain()
    const seen = (puffs: readonly Puff[]) => plumesIn(step(puffs).readings, 'hill').present
    const puff = [smoke(0.2, 0.2)]
    expect([seen(puff), seen([]), seen(puff), seen(puff), seen([]), seen(puff)]).toEqual([
      false,
      false,
      false,
      false,
      false,
      true,
    ])
    expect([seen([]), seen([]), seen([])]).toEqual([false, false, false])
  })

  it('measures the share of its zone, growth a minute and the box of the largest region', () => {
    const { step } = plumeChain()
    let last = step([])
    for (let second = 0; second < 60; second++)
      last = step([smoke(0.25, 0.25, 0.05 + second * 0.002), smoke(0.45, 0.05, 0.03)])
    const plume = plumesIn(last.readings, 'hill')
    const share = (Math.PI * 0.168 ** 2) / 0.25
    expect(plume.share).toBeGreaterThan(share * 0.85)
    expect(plume.share).toBeLessThan(share * 1.15)
    expect(plume.growthPerMinute).toBeGreaterThan(0.2)
    expect(plume.box![0]).toBeCloseTo(0.25 - 0.168, 1)
    expect(plume.box![2]).toBeCloseTo(0.336, 1)
    // Of the last frames: cells that smoke has just reached are not sure yet.
    expect(plume.confidence).toBeGreaterThan(0.7)
    expect(plume.confidence).toBeLessThan(0.8)
  })

  it('tells smoke where it has stayed, whatever else flickers in its zone', () => {
    const told = (puffs: readonly Puff[]) => {
      const { step } = plumeChain()
      for (let second = 0; second < 200; second++) {
        const { present, box, footX, share } = plumesIn(step(second < 60 ? [] : puffs).readings, 'hill')
        if (present) return { second, box, footX, share }
      }
      return null
    }
    const staying: Puff = { label: 'smoke', x: 0.15, y: 0.2, radius: 0.1, score: 0.13 }
    const alone = told([staying])!
    expect(alone.second).toBeGreaterThan(120)
    expect(told([staying, { label: 'smoke', x: 0.4625, y: 0.4625, radius: 0.01, score: 0.3 }])).toEqual(alone)
  })

  it('keeps zones apart and takes nothing from an ignored one', () => {
    const { step } = plumeChain()
    let readings: readonly Reading[] = []
    for (let second = 0; second < 8; second++) readings = step([smoke(0.45, 0.85, 0.04), smoke(0.8, 0.2)]).readings
    expect(plumesIn(readings, 'rice')).toMatchObject({ present: false, share: 0 })
    expect(plumesIn(readings, 'hill').present).toBe(false)
    expect(plumesIn(readings, 'houses').present).toBe(true)
  })

  it('tells a flickering flame from a steady lamp', () => {
    const [flame, lamp] = [plumeChain(), plumeChain()]
    for (let second = 0; second < 10; second++) {
      flame.step([{ label: 'flame', x: 0.2, y: 0.2, radius: 0.05 + 0.02 * (second % 2), score: 0.9 }])
      lamp.step([{ label: 'flame', x: 0.2, y: 0.2, radius: 0.05, score: 0.9 }])
    }
    const still = [{ label: 'flame', x: 0.2, y: 0.2, radius: 0.05, score: 0.9 }] as const
    expect(plumesIn(flame.step(still).readings, 'hill', 'flame').flicker).toBeGreaterThan(0.1)
    expect(plumesIn(lamp.step(still).readings, 'hill', 'flame').flicker).toBe(0)
  })

  it('publishes shares of the contract once per slot, and null while suspended', () => {
    const { step, analytic } = plumeChain()
    const observations = Array.from({ length: 61 }, () => step([smoke(0.8, 0.5)]).observations).flat()
    expect(observations.map(({ property }) => property)).toEqual(Array(3).fill(['smokeShare', 'flameShare']).flat())
    expect(observations[0]!.value).toBeGreaterThan(0.01)
    analytic.suspend('the camera was moved')
    const during = step([smoke(0.8, 0.5)])
    expect(during.readings).toEqual([])
    expect(during.observations.map(({ value, quality }) => ({ value, quality }))).toEqual(
      Array(2).fill({ value: null, quality: 'suspended' }),
    )
    for (const one of [...observations, ...during.observations]) expect([...Value.Errors(Observation, one)]).toEqual([])
  })

  it('watches a zone that is smaller than one cell', () => {
    const far = {
      id: 'far',
      polygon: [
        [0.301, 0.301],
        [0.309, 0.301],
        [0.309, 0.309],
      ],
      landUse: 'forest',
    } as const
    const { step } = plumeChain({ zones: [{ ...far, polygon: far.polygon.map(([x, y]) => [x, y]) }] })
    for (let second = 0; second < 5; second++) step([smoke(0.3, 0.3)])
    expect(plumesIn(step([smoke(0.3, 0.3)]).readings, 'far').present).toBe(true)
  })

  describe('with a zone whose cells an ignored one covers', () => {
    const square = (from: number, to: number): [number, number][] => [
      [from, from],
      [to, from],
      [to, to],
      [from, to],
    ]
    const far = { id: 'far', landUse: 'forest', polygon: square(0.301, 0.309) } as const
    const chimney = { id: 'chimney', landUse: 'ignore', polygon: square(0.29, 0.33) } as const
    const observed = (zones: PlumeAnalytic['zones']) => plumeChain({ zones }).step([smoke(0.3, 0.3)]).observations[0]
    const reason = 'ignored zones cover every cell of far'

    it('says that nothing is seen', () => {
      expect(observed([far, chimney])).toMatchObject({ value: null, quality: 'suspended', reason })
    })

    it('says that only a part is seen', () => {
      const near = { id: 'near', landUse: 'field', polygon: square(0.5, 0.9) } as const
      expect(observed([far, chimney, near])).toMatchObject({ value: 0, quality: 'uncertain', reason })
      expect(observed([far, near])).toMatchObject({ quality: 'good' })
    })
  })

  describe('looking closer at a part of a large frame', () => {
    const ridge: PlumeAnalytic['zones'][number] = {
      id: 'ridge',
      landUse: 'forest',
      polygon: [
        [0.7, 0.3],
        [0.8, 0.3],
        [0.8, 0.36],
        [0.7, 0.36],
      ],
    }
    const frame = { ...frameAt(startMs), width: 1920, height: 1080 }
    const modelInput = { width: 448, height: 256 }
    const open = (settings: Partial<PlumeAnalytic> = {}, restored?: unknown) =>
      createAnalytic(
        { ...plumeConfig, closeUp: true, zones: [ridge], ...settings },
        { cameraId: 'bach-ma-1', modelInput, restored },
      )
    /** Six frames of puffs in fractions of the close-up; the last readings. */
    const watch = (analytic: Analytic, puffs: readonly Puff[], frames = 6) => {
      const { region } = analytic.closeUp!(frame)!
      const outputs = Array.from({ length: frames }, (_, second) => {
        const at = startMs + second * 1000
        const result = resultOf(gridOf(puffs))
        return analytic.update({ frame: { ...frame, takenAt: at }, result, closeUp: { region, result } })
      })
      return { region, readings: outputs.at(-1)!.readings }
    }

    it('asks for the pixels around its zones, in place of the whole', () => {
      const { region, withWhole } = open().closeUp!(frame)!
      expect(withWhole).toBe(false)
      expect([region[2] * 1920, region[3] * 1080].map(Math.round)).toEqual([448, 256])
      expect(region[0]).toBeLessThan(0.7)
      expect(region[0] + region[2]).toBeGreaterThan(0.8)
    })

    it('asks for none where it shall not, while suspended, and where it would show no more than the whole', () => {
      expect(open({ closeUp: false }).closeUp!(frame)).toBeNull()
      expect(open().closeUp!({ width: 448, height: 252 })).toBeNull()
      const wide: [number, number][] = [
        [0, 0.2],
        [1, 0.2],
        [1, 0.9],
      ]
      expect(open({ zones: [{ ...ridge, polygon: wide }] }).closeUp!(frame)).toBeNull()
      const ignored = { ...ridge, id: 'sky', polygon: wide, landUse: 'ignore' } as const
      expect(open({ zones: [ridge, ignored] }).closeUp!(frame)).toEqual(open().closeUp!(frame))
      const covered = open()
      covered.suspend('the lens is covered')
      expect(covered.closeUp!(frame)).toBeNull()
    })

    it('tells where in the frame the plume is, and takes nothing from outside its zones', () => {
      const { region, readings } = watch(open(), [smoke(0.5, 0.5, 0.1)])
      const { present, box, footX, region: lookedAt } = plumesIn(readings, 'ridge')
      expect({ present, lookedAt }).toEqual({ present: true, lookedAt: region })
      expect(box![0]).toBeCloseTo(region[0] + 0.4 * region[2], 2)
      expect(box![1]).toBeCloseTo(region[1] + 0.4 * region[3], 2)
      expect(box![2]).toBeCloseTo(0.2 * region[2], 2)
      expect(footX).toBeCloseTo(region[0] + 0.5 * region[2], 2)
      expect(plumesIn(watch(open(), [smoke(0.5, 0.1, 0.05)]).readings, 'ridge').present).toBe(false)
    })

    it('learns anew what is usual when it looks elsewhere', () => {
      const steam = [smoke(0.5, 0.5, 0.1)]
      const usual = open()
      watch(usual, steam, 700)
      expect(plumesIn(watch(open({}, usual.state!()), steam).readings, 'ridge').present).toBe(false)
      const moved = ridge.polygon.map(([x, y]): [number, number] => [x - 0.4, y])
      const elsewhere = open({ zones: [{ ...ridge, polygon: moved }] }, usual.state!())
      expect(plumesIn(watch(elsewhere, steam).readings, 'ridge').present).toBe(true)
    })
  })

  it('refuses zones that are all ignored and a persistence that cannot be met', () => {
    expect(() =>
      plumeChain({
        zones: [
          {
            id: 'sky',
            polygon: [
              [0, 0],
              [1, 0],
              [1, 1],
            ],
            landUse: 'ignore',
          },
        ],
      }),
    ).toThrow(/Draw a forest/)
    expect(() => plumeChain({ persistence: { k: 7, n: 6 } })).toThrow(/k at most n/)
  })
})
