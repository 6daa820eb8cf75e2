import { describe, expect, it } from 'vitest'
import { roadUsersOf } from '../../../edge/analytics/road-users.js'

const seen = (label: string, box: readonly [number, number, number, number], confidence = 0.8) => ({
  label,
  confidence,
  box: [...box] as [number, number, number, number],
})
const bike = seen('motorcycle', [0.4, 0.5, 0.05, 0.08])
const rider = seen('person', [0.405, 0.43, 0.04, 0.12])

describe('road users', () => {
  it('unites a motorbike with its riders into one vehicle', () => {
    const pillion = seen('person', [0.41, 0.44, 0.04, 0.11])
    const users = roadUsersOf([rider, bike, pillion])
    expect(users).toHaveLength(1)
    expect(users[0]).toMatchObject({ label: 'motorcycle', confidence: 0.8 })
    expect(users[0]!.box[1]).toBeCloseTo(0.43)
    expect(users[0]!.box[1] + users[0]!.box[3]).toBeCloseTo(0.58)
  })

  it('gives each rider to the motorbike that is sat on, side by side', () => {
    const second = seen('motorcycle', [0.46, 0.5, 0.05, 0.08])
    const users = roadUsersOf([bike, second, rider, seen('person', [0.465, 0.43, 0.04, 0.12])])
    expect(users.map(({ box }) => [box[0], box[2]].map(value => Number(value.toFixed(3))))).toEqual([
      [0.4, 0.05],
      [0.46, 0.05],
    ])
  })

  it('keeps who walks apart from a parked motorbike', () => {
    const walker = seen('person', [0.44, 0.55, 0.05, 0.2])
    expect(roadUsersOf([bike, walker]).map(({ label, vehicleConfidence }) => [label, vehicleConfidence])).toEqual([
      ['motorcycle', 0.8],
      ['person', 0],
    ])
  })

  it('makes a faint motorbike under a clear rider as sure as the rider', () => {
    const faint = seen('bicycle', [0.41, 0.5, 0.03, 0.08], 0.15)
    const users = roadUsersOf([faint, { ...rider, confidence: 0.5 }])
    expect(users).toHaveLength(1)
    expect(users[0]).toMatchObject({ label: 'bicycle', confidence: 0.5, vehicleConfidence: 0.15 })
  })

  it('takes a leg or a wheel within a rider for part of it', () => {
    const leg = seen('person', [0.42, 0.5, 0.01, 0.06], 0.2)
    const wheel = seen('bicycle', [0.42, 0.55, 0.02, 0.03], 0.12)
    expect(roadUsersOf([bike, rider, leg, wheel])).toHaveLength(1)
    const body = seen('person', [0.7, 0.4, 0.05, 0.2])
    expect(roadUsersOf([body, seen('person', [0.71, 0.5, 0.02, 0.08], 0.3)])).toHaveLength(1)
  })

  describe('of a detector that gives rider and motorbike one box', () => {
    const whole = { ...seen('motorcycle', [0.4, 0.42, 0.06, 0.18], 0.5), withRider: true as const }

    it('takes a person in it for its rider found again: as sure as the surer, the box unchanged', () => {
      const inside = seen('person', [0.405, 0.41, 0.05, 0.14], 0.7)
      expect(roadUsersOf([whole, inside])).toEqual([
        { label: 'motorcycle', confidence: 0.7, vehicleConfidence: 0.5, box: whole.box },
      ])
    })

    it('neither grows by who walks beside or before it nor swallows them', () => {
      const beside = seen('person', [0.445, 0.4, 0.05, 0.18], 0.9)
      const users = roadUsersOf([whole, beside])
      expect(users.map(({ label, box, confidence }) => [label, box, confidence])).toEqual([
        ['motorcycle', whole.box, 0.5],
        ['person', beside.box, 0.9],
      ])
      // Without the rider in the box, the same two boxes are a motorbike and who sits on it.
      const { withRider: _, ...bare } = whole
      expect(roadUsersOf([bare, beside])).toHaveLength(1)
    })
  })

  it('drops the fainter of two labels on one vehicle, and what is neither vehicle nor person', () => {
    const car = seen('car', [0.1, 0.1, 0.2, 0.2], 0.6)
    const same = seen('truck', [0.105, 0.1, 0.2, 0.21], 0.5)
    expect(roadUsersOf([same, car, seen('traffic light', [0.9, 0.1, 0.02, 0.05])])).toEqual([
      { ...car, vehicleConfidence: 0.6 },
    ])
  })
})
