import { describe, expect, it } from 'vitest'
import { precisionRecall, scoreViolations } from '../../../scripts/score/metrics/violations.js'
import { event } from '../run-example.js'
import { truthWith } from '../truth-example.js'

const happening = (id: string, change: object) => ({ id, kind: 'red-light', from: 10, until: 10, at: 10, ...change })
const truth = (...happenings: readonly object[]) =>
  truthWith({ family: 'junction', noStoppingSeconds: 10, happenings: [...happenings] })
const whole = { playedS: 100, heldS: 0 }

describe('violations', () => {
  it('are found by an event of their kind within three seconds', () => {
    const { found, missed, invented } = scoreViolations(truth(happening('a', {})), whole, [event({ t: 12.9 })])
    expect([found.length, missed.length, invented.length]).toEqual([1, 0, 0])
  })

  it('are missed, and the event invented, when time or kind differ', () => {
    for (const wrong of [event({ t: 13.2 }), event({ t: 6.9 }), event({ kind: 'wrong-way' })]) {
      const score = scoreViolations(truth(happening('a', {})), whole, [wrong])
      expect([score.found.length, score.missed.length, score.invented.length]).toEqual([0, 1, 1])
    }
  })

  it('are paired one to one: two events of one violation are one too many', () => {
    const score = scoreViolations(truth(happening('a', {})), whole, [event({ t: 9 }), event({ t: 10.2 })])
    expect(score.found.map(({ event: { t } }) => t)).toEqual([10.2])
    expect(score.invented.map(({ t }) => t)).toEqual([9])
  })

  it('are paired so that most are found, even when one lies nearer to the wrong event', () => {
    const real = truth(happening('a', { at: 10 }), happening('b', { at: 12 }))
    const score = scoreViolations(real, whole, [event({ t: 12.2 }), event({ t: 14.5 })])
    expect(score.found.map(({ truth: { id }, event: { t } }) => [id, t])).toEqual([
      ['a', 12.2],
      ['b', 14.5],
    ])
  })

  it('that last may be told as long as they do', () => {
    const wrongWay = truth(happening('a', { kind: 'wrong-way', at: 20, from: 20, until: 26 }))
    const told = (t: number) => scoreViolations(wrongWay, whole, [event({ t, kind: 'wrong-way' })]).found.length
    expect([16, 25.5, 26.5].map(told)).toEqual([0, 1, 0])
  })

  it('of standing are due when the allowed time is over, and may be told until the vehicle drives on', () => {
    const standing = truth(happening('a', { kind: 'illegal-stopping', from: 20, until: 50, at: 20 }))
    const told = (t: number) => scoreViolations(standing, whole, [event({ t, kind: 'illegal-stopping' })]).found.length
    expect([26, 28, 40, 52, 54].map(told)).toEqual([0, 1, 1, 1, 0])
  })

  it('of standing in the first picture may be told earlier by as long as that picture was held', () => {
    const standing = truth(happening('a', { kind: 'illegal-stopping', from: 0, until: 50, at: 0 }))
    const early = event({ t: 2, kind: 'illegal-stopping' })
    expect(scoreViolations(standing, whole, [early]).found).toHaveLength(0)
    expect(scoreViolations(standing, { playedS: 100, heldS: 8 }, [early]).found).toHaveLength(1)
  })

  it('after the end of the play are not missed', () => {
    const late = truth(happening('a', { at: 60, from: 60, until: 60 }))
    expect(scoreViolations(late, { playedS: 45, heldS: 0 }, []).missed).toEqual([])
  })

  it('do not care how an event goes on', () => {
    const ended = event({ t: 10, phase: 'ended' })
    expect(scoreViolations(truth(), whole, [ended]).invented).toEqual([])
  })
})

describe('precision and recall', () => {
  it('are over all scenes together, or of one kind', () => {
    const one = scoreViolations(truth(happening('a', {})), whole, [event({}), event({ t: 50, kind: 'wrong-way' })])
    const two = scoreViolations(truth(happening('a', {})), whole, [])
    expect(precisionRecall([one, two])).toEqual({ precision: 0.5, recall: 0.5, found: 1, missed: 1, invented: 1 })
    expect(precisionRecall([one, two], 'red-light')).toMatchObject({ precision: 1, recall: 0.5 })
    expect(precisionRecall([one, two], 'wrong-way')).toMatchObject({ precision: 0, recall: null })
    expect(precisionRecall([])).toMatchObject({ precision: null, recall: null })
  })
})
