import { neighboursOf } from './grid-region.js'
import { logOdds } from './statistics.js'

/** Scores are compared as log-odds; below this a model says nothing more. */
const leastScore = 0.03
/** The mean of so many frames is compared with the frames from so long ago up to so long ago: a growing plume is not compared with itself. */
const newestFrames = 2
const baselineFrames = { from: 60, to: 12 }
/** Nothing rises before so many frames were seen; they are the first baseline. */
const firstFrames = 8
/** A rise counts whole where the baseline was steady, and less by a factor of √2 where it wavered by so much. */
const steadyDeviation = 0.5
/** What this share of a row and of the rows beside it does, too, is haze, cloud or exposure. */
const commonShare = 0.2
/** A plume stays over its cells for so many frames; a puff of mist has drifted on. */
const stayingFrames = 5
/** And it rises by so much more than anything did in the scene that has fallen to so much of it since; what did is forgotten by half in 140 frames. */
const aboveScene = 1.5
const fallenTo = 0.5
const sceneKept = 0.995
/** Cells whose baseline reached this score, by so many standard deviations, were restless. */
const restlessOdds = logOdds(0.2, leastScore)
const restlessDeviations = 2

/** One number per cell, row by row. */
export interface Rising {
  /** By how much a cell's log-odds rise and stay above its baseline, and what is common to its rows; 0 if no more than usual in the scene. */
  readonly rise: Float32Array
  /** 1 where high scores were usual in the baseline (fog, glare, chimneys), else 0. */
  readonly wasRestless: Float32Array
}

/**
 * Where scores begin to rise while those beside them do not, as a thin plume's do within seconds of its onset, far below any threshold: the
 * newest frames against a baseline that ends before them, less the common mode of the rows. O(cells) a frame.
 */
export const createRisingScores = ({ columns, rows }: { readonly columns: number; readonly rows: number }) => {
  const count = columns * rows
  const array = () => new Float32Array(count)
  const [change, pairs, rise, wasRestless] = [array(), array(), array(), array()]
  const neighbours = Array.from({ length: count }, (_, cell) => neighboursOf(cell, columns, rows))
  /** The newest frames; those from the first on that are old enough are the baseline, summed cell by cell. */
  let history: readonly Float32Array[] = []
  const [sum, squares] = [new Float64Array(count), new Float64Array(count)]
  /** Of the newest frames, the last one last. */
  let newestRises: readonly Float32Array[] = []
  let sceneTop = 0

  /** Frames of the baseline, once the first ones were seen. */
  const baselineLength = (): number => Math.max(firstFrames, history.length - 1 - baselineFrames.to)

  const addToBaseline = (frame: Float32Array, sign: 1 | -1): void => {
    for (let cell = 0; cell < count; cell++) {
      sum[cell]! += sign * frame[cell]!
      squares[cell]! += sign * frame[cell]! ** 2
    }
  }

  const remember = (odds: Float32Array): void => {
    if (history.length > baselineFrames.from) addToBaseline(history[0]!, -1)
    history = [...history, odds].slice(-baselineFrames.from - 1)
    const length = baselineLength()
    if (history.length <= firstFrames) addToBaseline(odds, 1)
    else if (length > firstFrames) addToBaseline(history[length - 1]!, 1)
  }

  const compare = (cell: number, frames: number, newest: readonly Float32Array[]): void => {
    let now = 0
    for (const frame of newest) now += frame[cell]!
    const level = sum[cell]! / frames
    const variance = Math.max(0, squares[cell]! / frames - level ** 2)
    change[cell] = (now / newest.length - level) / Math.sqrt(1 + variance / steadyDeviation ** 2)
    wasRestless[cell] = level + restlessDeviations * Math.sqrt(variance) > restlessOdds ? 1 : 0
  }

  /** A cell and its neighbour to the right: a plume is seldom in one alone. */
  const pairOf = (cell: number): number =>
    (cell + 1) % columns === 0 ? change[cell]! : (change[cell]! + change[cell + 1]!) / 2

  const commonTo = (row: number): number => {
    const around = pairs.slice(Math.max(0, row - 1) * columns, Math.min(rows, row + 2) * columns).sort()
    return Math.max(0, around[Math.floor((1 - commonShare) * (around.length - 1))]!)
  }

  /** What the cells around have lost, below 0: a camera that nods takes from one cell what it gives to the next. */
  const lostAround = (cell: number): number => {
    let lost = 0
    for (const other of neighbours[cell]!) lost += Math.min(0, change[other]!)
    return lost
  }

  /** Of one frame, before it is known what stays. */
  const risesNow = (newest: readonly Float32Array[]): Float32Array => {
    const rises = array()
    const frames = baselineLength()
    for (let cell = 0; cell < count; cell++) compare(cell, frames, newest)
    for (let cell = 0; cell < count; cell++) pairs[cell] = pairOf(cell)
    for (let row = 0; row < rows; row++) {
      const common = commonTo(row)
      for (let cell = row * columns; cell < (row + 1) * columns; cell++)
        rises[cell] = pairs[cell]! - common + lostAround(cell)
    }
    return rises
  }

  /** What rose some frames ago and has fallen again was the scene's own; what has not may be a plume. */
  const learnScene = (then: Float32Array, now: Float32Array): void => {
    sceneTop *= sceneKept
    for (let cell = 0; cell < count; cell++)
      if (now[cell]! < fallenTo * then[cell]!) sceneTop = Math.max(sceneTop, then[cell]!)
  }

  return {
    /** Frames in their order; `scores` row by row. What it gives holds until the next call. */
    accept(scores: Float32Array): Rising {
      remember(scores.map(oddsOf))
      const newest = history.slice(firstFrames).slice(-newestFrames)
      rise.fill(0)
      if (newest.length === 0) return { rise, wasRestless: wasRestless.fill(0) }
      const rises = risesNow(newest)
      newestRises = [...newestRises, rises].slice(-baselineFrames.to - 1)
      if (newestRises.length > baselineFrames.to) learnScene(newestRises[0]!, rises)
      const staying = newestRises.slice(-stayingFrames)
      if (staying.length < stayingFrames) return { rise, wasRestless }
      for (let cell = 0; cell < count; cell++) {
        const least = staying.reduce((lowest, one) => Math.min(lowest, one[cell]!), Number.POSITIVE_INFINITY)
        if (least > aboveScene * sceneTop) rise[cell] = least
      }
      return { rise, wasRestless }
    },
    /** Begins anew, as at the start. */
    clear(): void {
      history = []
      sum.fill(0)
      squares.fill(0)
      newestRises = []
      sceneTop = 0
    },
  }
}

const oddsOf = (score: number): number => logOdds(score, leastScore)
