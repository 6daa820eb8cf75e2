import { describe, expect, it } from 'vitest'
import { plumeEvidence } from '../../../edge/analytics/plume-evidence.js'
import type { Unusual } from '../../../edge/analytics/usual-scores.js'

const [columns, rows] = [10, 10]
const grid = () => new Float32Array(columns * rows)
const options = { threshold: 0.5, leastScore: 0.1, leastRise: 1.1, sensitivity: 1, minShare: 0.01 }
const [here, there] = [
  [12, 13, 22],
  [66, 67, 76, 77],
]

/** A calm zone: four cells a little above the usual there, and what is shown here. */
const see = (shown: (unusual: Unusual, scores: Float32Array) => void) => {
  const scores = grid()
  const unusual: Unusual = {
    above: grid(),
    evidence: grid(),
    lasting: grid(),
    score: grid(),
    restless: grid(),
    isWide: false,
    rise: grid(),
    wasRestless: grid(),
  }
  for (const cell of there) {
    unusual.evidence[cell] = 0.1
    unusual.score[cell] = 0.2
  }
  for (const cell of here) unusual.score[cell] = 0.3
  shown(unusual, scores)
  return plumeEvidence({ columns, rows, scores }, Array.from(scores.keys()), unusual, options)
}

describe('the place of a plume', () => {
  it.each<[string, (unusual: Unusual, scores: Float32Array, cell: number) => void]>([
    ['smoke stays', ({ lasting }, _, cell) => lasting.fill(1, cell, cell + 1)],
    ['scores rise', ({ rise }, _, cell) => rise.fill(2, cell, cell + 1)],
    [
      'the model is sure',
      ({ above }, scores, cell) => {
        above[cell] = 1
        scores[cell] = 0.9
      },
    ],
  ])('is where %s, not where more cells stand out a little', (_rule, show) => {
    const seen = see((unusual, scores) => {
      for (const cell of here) show(unusual, scores, cell)
    })
    expect(seen).toMatchObject({ isEnough: true, share: 0.03, plume: { footX: 0.25 } })
    expect(seen.plume!.box).toEqual([0.2, 0.1, expect.closeTo(0.2), 0.2])
  })

  it('is where most stands out when nothing tells a plume yet', () => {
    expect(see(() => {})).toMatchObject({ isEnough: false, share: 0.04, plume: { footX: 0.7 } })
  })
})
