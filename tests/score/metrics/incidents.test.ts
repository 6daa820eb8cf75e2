import { describe, expect, it } from 'vitest'
import { rateOf, scoreIncidents } from '../../../scripts/score/metrics/incidents.js'
import { incident } from '../run-example.js'

const at = (scene: string, ...ids: readonly string[]) => ids.map(happeningId => ({ scene, happeningId }))
const reals = new Map([
  ['a h1', 'fire'],
  ['a h2', 'fire'],
  ['b h1', 'fire'],
  ['a h3', 'runner'],
])
const realOf = (scene: string, happeningId: string) => reals.get(`${scene} ${happeningId}`)

describe('incidents', () => {
  it('are false when none of their events belongs to a real happening', () => {
    const score = scoreIncidents(
      [incident({ id: '1', happenings: at('a', 'h1', 'h9') }), incident({ id: '2', happenings: at('a', 'h9') })],
      realOf,
    )
    expect(score.falseOnes.map(({ id }) => id)).toEqual(['2'])
  })

  it('are duplicates beyond the first of one happening, also when two cameras see it', () => {
    const score = scoreIncidents(
      [
        incident({ id: '1', happenings: at('a', 'h1') }),
        incident({ id: '2', happenings: at('b', 'h1') }),
        incident({ id: '3', happenings: at('a', 'h3') }),
      ],
      realOf,
    )
    expect(score.duplicates.get('fire')).toBe(1)
    expect(score.duplicatesPerHappening).toBe(0.5)
  })

  it('that central merged are one', () => {
    const merged = incident({ happenings: [...at('a', 'h1', 'h2'), ...at('b', 'h1')] })
    expect(scoreIncidents([merged], realOf)).toMatchObject({ falseOnes: [], duplicatesPerHappening: 0 })
  })

  it('without any real happening say nothing of duplicates', () => {
    expect(scoreIncidents([], realOf).duplicatesPerHappening).toBeNull()
  })
})

describe('rates per camera and day', () => {
  it('have an upper bound that shows how little a short play proves', () => {
    const tenMinutes = rateOf(0, [300, 300])
    expect(tenMinutes.perCameraDay).toBe(0)
    expect(tenMinutes.upper95PerCameraDay).toBeCloseTo(2.996 * 144, 0)
    expect(rateOf(2, [86_400]).perCameraDay).toBe(2)
  })

  it('are null without exposure', () => {
    expect(rateOf(0, [])).toMatchObject({ perCameraDay: null, upper95PerCameraDay: null })
  })
})
