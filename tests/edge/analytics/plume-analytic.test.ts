import { Value } from '@sinclair/typebox/value'
import { Observation } from '@watchpost/shared/contracts/observation'
import { describe, expect, it } from 'vitest'
import type { Reading } from '../../../edge/analytics/reading.js'
import { type Puff, plumeChain } from '../rules/plume-chain.js'

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
