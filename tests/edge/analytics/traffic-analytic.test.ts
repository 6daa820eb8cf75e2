import { Value } from '@sinclair/typebox/value'
import { Observation } from '@watchpost/shared/contracts/observation'
import { describe, expect, it } from 'vitest'
import { insideFrame } from '../../../edge/analytics/geometry.js'
import { drive, trafficChain } from '../rules/traffic-chain.js'
import type { Actor } from './street.js'

/** A car every two seconds, down the left lane in eight. */
const stream: Actor[] = Array.from({ length: 60 }, (_, index) => ({
  label: 'car',
  at: drive([index * 2, 0.25, 0.12], [index * 2 + 8, 0.25, 0.94]),
}))

describe('traffic analytic', () => {
  it('counts the vehicles in view and their flow over the count line', () => {
    const { observations } = trafficChain().run(100, stream)
    const last = (property: string) => observations.findLast(one => one.property === property)!
    expect(last('vehicleCount')).toMatchObject({ value: 4, unit: '1', quality: 'good' })
    expect(last('vehicleFlow').value).toBeGreaterThanOrEqual(29)
    expect(last('vehicleFlow').value).toBeLessThanOrEqual(31)
    expect(last('vehicleFlow').quality).toBe('good')
    expect(observations.filter(one => one.property === 'vehicleFlow')[1]!.quality).toBe('uncertain')
    for (const one of observations) expect([...Value.Errors(Observation, one)]).toEqual([])
  })

  it('shows which vehicles it follows, under one number for as long as it does', () => {
    const { tracks } = trafficChain().run(7, [
      { label: 'car', at: drive([0, 0.25, 0.12], [8, 0.25, 0.94]) },
      { label: 'motorcycle', at: drive([0, 0.62, 0.94], [8, 0.62, 0.12]) },
    ])
    const labels = new Map(tracks.flat().map(({ id, label }) => [id, label]))
    expect([...labels.values()].toSorted()).toEqual(['car', 'motorcycle'])
    const last = tracks.at(-1)!.find(({ label }) => label === 'car')!
    expect(last.box[1] + last.box[3]).toBeGreaterThan(0.7)
  })

  it('tells each crossing of a line once per vehicle, with its direction', () => {
    const { readings } = trafficChain().run(60, [
      { label: 'motorcycle', at: drive([0, 0.25, 0.12], [8, 0.25, 0.94]) },
      { label: 'car', at: drive([10, 0.62, 0.94], [18, 0.62, 0.12]) },
    ])
    const crossings = readings.filter(reading => reading.type === 'crossing')
    expect(crossings.map(({ line, label, direction, lamp }) => [line, label, direction, lamp?.colour])).toEqual([
      ['stop', 'motorcycle', 'forward', 'green'],
      ['count', 'motorcycle', 'forward', undefined],
      ['count', 'car', 'backward', undefined],
      ['stop-away', 'car', 'forward', 'green'],
    ])
    expect(readings.filter(({ type }) => type === 'track-ended')).toHaveLength(2)
  })

  it('tells of a line crossed before a vehicle was confirmed where the vehicle is now', () => {
    const fast: Actor = { label: 'motorcycle', at: drive([0, 0.25, 0.77], [1, 0.25, 1.25]) }
    const { readings, tracks } = trafficChain().run(0.5, [fast])
    const [crossing] = readings.filter(reading => reading.type === 'crossing')
    expect(crossing).toMatchObject({ line: 'count', direction: 'forward' })
    const confirmed = tracks.find(found => found.length > 0)!
    expect(crossing!.box).toEqual(insideFrame(confirmed[0]!.box))
  })

  it('ends all tracks when the camera reconnects or is suspended, and publishes nulls meanwhile', () => {
    const { analytic, run } = trafficChain()
    const car: Actor = { label: 'car', at: () => [0.25, 0.5] }
    run(2, [car])
    analytic.reset()
    expect(run(1, [car], undefined, undefined, 2).readings[0]).toMatchObject({ type: 'track-ended', trackId: 1 })
    analytic.suspend('the camera was moved')
    const during = run(2, [car], undefined, undefined, 3)
    expect(during.readings.map(({ type }) => type).slice(0, 3)).toEqual(['track-ended', 'suspended', 'suspended'])
    expect(during.observations[0]).toMatchObject({ property: 'vehicleCount', value: null, quality: 'suspended' })
  })
})
