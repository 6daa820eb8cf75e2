import { describe, expect, it } from 'vitest'
import { createRisingScores } from '../../../edge/analytics/rising-scores.js'

const [columns, rows] = [28, 16]
/** Score at a frame and cell; what is missing is calm. */
type Scores = (frame: number, column: number, row: number) => number | undefined

const watch = (score: Scores) => {
  const rising = createRisingScores({ columns, rows })
  let frame = 0
  /** Cells that rise by 1 or more at any of the next frames, and the first frame at which one does. */
  const play = (frames: number) => {
    const cells = new Set<string>()
    let first: number | null = null
    for (const end = frame + frames; frame < end; frame++) {
      const at = frame
      const scores = Float32Array.from(
        { length: columns * rows },
        (_, cell) => score(at, cell % columns, Math.floor(cell / columns)) ?? 0.02,
      )
      for (const [cell, by] of rising.accept(scores).rise.entries()) {
        if (by < 1) continue
        cells.add(`${cell % columns},${Math.floor(cell / columns)}`)
        first ??= frame
      }
    }
    return { cells: [...cells].sort(), first }
  }
  return { rising, play }
}

/** Two cells, far below any threshold. */
const plume =
  (onset: number): Scores =>
  (frame, column, row) =>
    frame >= onset && row === 7 && (column === 12 || column === 13) ? 0.2 : undefined
/** A cell counts with its neighbour to the right. */
const besideAndUnder = ['11,7', '12,7', '13,7']
const nothing = { cells: [], first: null }

describe('rising scores', () => {
  it('show a faint plume six frames after its onset, after eight frames of a new camera or hundreds', () => {
    for (const onset of [8, 300]) {
      const { cells, first } = watch(plume(onset)).play(onset + 12)
      expect(cells).toEqual(besideAndUnder)
      expect(first! - onset).toBeLessThanOrEqual(6)
    }
  })

  it('show a plume that fills a part of its rows', () => {
    const broad: Scores = (frame, column, row) =>
      frame >= 30 && row > 4 && row < 10 && column > 9 && column < 15 ? 0.12 : undefined
    const { cells, first } = watch(broad).play(45)
    expect(cells).toContain('11,5')
    expect(first! - 30).toBeLessThanOrEqual(6)
  })

  it('show a plume that grows slowly, whose own beginning is nothing that the scene has shown', () => {
    const grows: Scores = (frame, column, row) => {
      const odds = Math.log(0.03 / 0.97) + 0.05 * Math.max(0, frame - 30)
      return row === 7 && (column === 12 || column === 13) ? 1 / (1 + Math.exp(-odds)) : undefined
    }
    const { cells, first } = watch(grows).play(90)
    expect(cells).toContain('12,7')
    expect(first! - 30).toBeLessThanOrEqual(40)
  })

  it('are none before eight frames, nor of what was there from the first', () => {
    expect(watch(plume(3)).play(7)).toEqual(nothing)
    expect(watch(plume(0)).play(200)).toEqual(nothing)
  })

  it('are none where a row does the same, as in haze', () => {
    expect(watch((frame, _, row) => (frame > 30 && row > 5 && row < 9 ? 0.3 : undefined)).play(100)).toEqual(nothing)
  })

  it('are none of a puff that drifts', () => {
    const puff: Scores = (frame, column, row) => {
      const at = 2 + (frame - 20) / 2
      return frame > 20 && row === 7 && Math.abs(column - at) <= 0.7 ? 0.4 : undefined
    }
    expect(watch(puff).play(90)).toEqual(nothing)
  })

  it('are none of a camera that nods by a cell', () => {
    const nods: Scores = (frame, column, row) =>
      row === 7 && column === (frame > 59 && frame % 30 < 15 ? 13 : 12) ? 0.6 : undefined
    expect(watch(nods).play(200)).toEqual(nothing)
  })

  it('are less where scores have wavered', () => {
    const waver: Scores = (frame, column, row) =>
      row === 7 && column > 10 && column < 15 ? (frame % 2 === 0 ? 0.03 : 0.12) : undefined
    const fire = plume(60)
    expect(watch((frame, column, row) => fire(frame, column, row) ?? waver(frame, column, row)).play(80)).toEqual(
      nothing,
    )
  })

  it('must be more than what the scene has shown before, until that is forgotten', () => {
    const puffs: Scores = (frame, column, row) =>
      frame % 60 > 30 && frame % 60 < 42 && frame < 200 && row === 4 && (column === 3 || column === 4) ? 0.2 : undefined
    const shownAt = (onset: number) => {
      const fire = plume(onset)
      const { play } = watch((frame, column, row) => fire(frame, column, row) ?? puffs(frame, column, row))
      play(onset)
      return play(12)
    }
    expect(shownAt(200)).toEqual(nothing)
    expect(shownAt(600).cells).toEqual(besideAndUnder)
  })

  it('tell which cells were restless before', () => {
    const { rising, play } = watch((_, column, row) => (row === 9 && column < 5 ? 0.4 : undefined))
    play(30)
    const { wasRestless } = rising.accept(new Float32Array(columns * rows).fill(0.9))
    expect(wasRestless.reduce((total, one) => total + one, 0)).toBe(5)
  })

  it('begin anew after clear()', () => {
    const { rising, play } = watch(plume(40))
    play(38)
    rising.clear()
    expect(play(60)).toEqual(nothing)
  })
})
