import { type Static, Type } from '@sinclair/typebox'
import { neighboursOf } from './grid-region.js'
import { createRisingScores, type Rising } from './rising-scores.js'
import { clamp, logOdds } from './statistics.js'

/** Scores are compared as log-odds, where 0.02 to 0.2 is as far as 0.2 to 0.75; nearer to 0 and 1 a model says nothing more. */
const leastScore = 0.01
/** What is usual is a mean and a mean deviation over so long, or over so many frames where frames are rare. */
const memoryMs = 600_000
const memoryFrames = 60
/** Until so many frames were learnt the model's own threshold stands in, fading. */
const learningFrames = 20
/** After such a pause what was learnt weighs no more than so many frames. */
const longPauseMs = 3_600_000
/** A score is usual up to so many mean deviations above the mean; deviations are at least, and at first, so large. */
const usualDeviations = 2
const leastDeviation = 0.35
const firstDeviation = 0.7
/** What is above the usual is learnt slowly and as at most so far off, during an alarm more slowly still: fires last. */
const unusualPace = 0.1
const alarmedPace = 0.01
const unusualStep = 2
/** Excess is a running mean of about half a minute, but of no fewer and no more frames than these. */
const newestMs = 30_000
const newestFrames = { least: 20, most: 30 }
/** The other running mean: what drifts past is over a cell for a shorter time. */
const lastingFrames = 60
/** One frame counts within these bounds: a flash is no plume, and a gap in a plume does not undo it. */
const frameLimits = { least: -1, most: 2.5 }
/** How far below the usual a running mean may sink, so that it is soon up again. */
const lowestExcess = -0.1
/** A cell stands out from this excess on. */
const standingOut = 0.3
/** For the score shown: about the last six frames count. */
const scoreWeight = 0.3
/** When more of the picture than this is above the usual it is fog, glare, exposure or a moved camera. */
const wideShare = 0.15
/** And more than this is another picture: the camera was turned, and what was learnt is soon overwritten. */
const otherShare = 0.4
/** Cells whose usual range reaches this score are restless. */
const restlessScore = 0.2

/** One number per cell, row by row; log-odds but for `score`. */
export interface Unusual extends Rising {
  /** How far this frame's score is above the cell's usual range; below 0 within it. */
  readonly above: Float32Array
  /** How far the cell stands out, over the last 20 to 30 frames; 0 if it does not. */
  readonly evidence: Float32Array
  /** The same over some sixty frames: only what stays at its place is above 0. */
  readonly lasting: Float32Array
  /** Score of the last frames, 0..1. */
  readonly score: Float32Array
  /** 1 where high scores are usual (fog, glare, chimneys), 0 where it is calm or not yet known: a fire that burns from the first frame on is no usual one. */
  readonly restless: Float32Array
  /** So much of the picture has changed that it is no plume. */
  readonly isWide: boolean
}

/** What is usual, for a restart. */
export const UsualState = Type.Object({
  at: Type.Number(),
  level: Type.Array(Type.Number()),
  deviation: Type.Array(Type.Number()),
  seen: Type.Array(Type.Number()),
})
export type UsualState = Static<typeof UsualState>

/**
 * What one camera usually scores, cell by cell of a model's grid, and what stands out from that now. A cell is held
 * against the highest of its neighbours, too: a camera that nods brings nothing new. O(cells) a frame.
 */
export const createUsualScores = ({ columns, rows }: { readonly columns: number; readonly rows: number }) => {
  const count = columns * rows
  const array = () => new Float32Array(count)
  const level = array()
  const deviation = array().fill(firstDeviation)
  /** Frames learnt from. */
  const seen = array()
  const [upper, above, excess, lastingExcess] = [array(), array(), array(), array()]
  const [evidence, lasting, score, restless] = [array(), array(), array(), array()]
  const neighbours = Array.from({ length: count }, (_, cell) => neighboursOf(cell, columns, rows))
  /** Share of the picture above the usual; it sinks as slowly as an excess does. */
  let wide = 0
  let lastAt: number | null = null
  const rising = createRisingScores({ columns, rows })

  const highestAround = (cell: number): number => {
    let highest = Number.NEGATIVE_INFINITY
    for (const other of neighbours[cell]!) highest = Math.max(highest, upper[other]!)
    return highest
  }

  const learn = (cell: number, odds: number, pace: number, leastWeight: number): void => {
    const off = pace < 1 ? Math.min(odds - level[cell]!, unusualStep) : odds - level[cell]!
    const weight = pace * Math.max(1 / (seen[cell]! + 1), leastWeight)
    deviation[cell]! += weight * (Math.abs(off) - deviation[cell]!)
    level[cell]! += weight * off
    seen[cell]! += pace
  }

  const trustLess = (): void => {
    for (let cell = 0; cell < count; cell++) seen[cell] = Math.min(seen[cell]!, learningFrames)
  }

  return {
    /**
     * Frames in the order of `at`, Unix milliseconds; `scores` row by row; `threshold` is the model's own; `isAlarmed`
     * while a plume is told of. What it gives holds until the next call.
     */
    accept(
      at: number,
      scores: Float32Array,
      { threshold, isAlarmed }: { readonly threshold: number; readonly isAlarmed: boolean },
    ): Unusual {
      const odds = scores.map(oddsOf)
      const elapsedMs = lastAt === null ? 0 : Math.max(0, at - lastAt)
      if (lastAt === null) level.set(odds)
      if (elapsedMs > longPauseMs) {
        trustLess()
        rising.clear()
      }
      lastAt = at
      const newestWeight = clamp(elapsedMs / newestMs, 1 / newestFrames.most, 1 / newestFrames.least)
      const [unlearnt, calm] = [oddsOf(threshold), oddsOf(restlessScore)]
      for (let cell = 0; cell < count; cell++)
        upper[cell] = level[cell]! + usualDeviations * Math.max(deviation[cell]!, leastDeviation)
      let unusual = 0
      for (let cell = 0; cell < count; cell++) {
        const usual = highestAround(cell)
        const learnt = Math.min(1, seen[cell]! / learningFrames)
        above[cell] = clamp(
          odds[cell]! - (usual * learnt + unlearnt * (1 - learnt)),
          frameLimits.least,
          frameLimits.most,
        )
        excess[cell] = Math.max(lowestExcess, mixed(excess[cell]!, above[cell]!, newestWeight))
        lastingExcess[cell] = mixed(lastingExcess[cell]!, above[cell]!, 1 / lastingFrames)
        evidence[cell] = Math.max(0, excess[cell]! - standingOut)
        lasting[cell] = Math.max(0, lastingExcess[cell]!)
        score[cell] = mixed(score[cell]!, scores[cell]!, scoreWeight)
        restless[cell] = usual > calm && learnt === 1 ? 1 : 0
        if (excess[cell]! > 0) unusual++
      }
      wide = Math.max(unusual / count, mixed(wide, unusual / count, newestWeight))
      const isWide = wide > wideShare
      const isChanged = isWide && !isAlarmed
      if (isChanged && wide > otherShare) {
        trustLess()
        lastingExcess.fill(0)
        rising.clear()
      }
      const unusualPaceNow = isAlarmed ? alarmedPace : isChanged ? 1 : unusualPace
      const leastWeight = Math.min(elapsedMs / memoryMs, 1 / memoryFrames)
      for (let cell = 0; cell < count; cell++)
        learn(cell, odds[cell]!, above[cell]! > 0 ? unusualPaceNow : 1, leastWeight)
      return { above, evidence, lasting, score, restless, isWide, ...rising.accept(scores) }
    },
    /** Forgets what stands out, not what is usual. */
    clear(): void {
      for (const one of [excess, lastingExcess, score]) one.fill(0)
      rising.clear()
    },
    /** Null before the first frame. */
    state: (): UsualState | null =>
      lastAt === null
        ? null
        : { at: lastAt, level: rounded(level), deviation: rounded(deviation), seen: rounded(seen) },
    /** Takes over what `state` gave; nothing when that is of another grid. */
    restore(state: UsualState): void {
      if ([state.level, state.deviation, state.seen].some(list => list.length !== count)) return
      lastAt = state.at
      level.set(state.level)
      deviation.set(state.deviation)
      seen.set(state.seen)
    },
  }
}

const oddsOf = (score: number): number => logOdds(score, leastScore)

const mixed = (before: number, now: number, weight: number): number => before + weight * (now - before)

const rounded = (values: Float32Array): number[] => Array.from(values, value => Math.round(value * 100) / 100)
