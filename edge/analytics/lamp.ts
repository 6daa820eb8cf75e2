import type { Box } from '@watchpost/shared/contracts/primitives'
import type { Frame } from '../frames/frame.js'
import { type LampBulb, lightOf } from './lamp-light.js'
import type { LampColour } from './reading.js'

export interface LampConfig {
  readonly red: Box
  readonly amber?: Box
  readonly green: Box
}

export interface LampState {
  readonly colour: LampColour
  readonly sinceMs: number
}

/** The lit bulb outshines the next one by so much ... */
const minLead = 0.1
/** ... or, once both states of each bulb have been seen, is in the upper part of its own range while the others are low. */
const minRange = 0.12
const litFrom = 0.6
const darkBelow = 0.45
/** The range a bulb has shown shrinks towards what it shows now with this time constant: day becomes night. */
const forgetMs = 10 * 60_000
/** A colour counts after so long, an unlit lamp after longer: LED lamps flicker against the shutter. */
const confirmMs = 200
const confirmUnknownMs = 1500
const maxChanges = 32

interface Range {
  readonly low: number
  readonly high: number
}

/** Colour of a signal from the pixels of its bulbs' boxes, debounced, with a short memory of when it changed. */
export const createLamp = (config: LampConfig) => {
  const bulbs = (['red', 'amber', 'green'] as const).flatMap(bulb => {
    const box = config[bulb]
    return box ? [{ bulb, box }] : []
  })
  const ranges = new Map<LampBulb, Range>()
  let changes: { readonly colour: LampColour; readonly at: number }[] = []
  let candidate: { readonly colour: LampColour; readonly since: number } | null = null
  let lastAt: number | null = null
  /** When any bulb was last seen lit; single unlit frames in between are the shutter's. */
  let litAt = 0

  const learn = (bulb: LampBulb, light: number, elapsedMs: number): Range => {
    const known = ranges.get(bulb) ?? { low: light, high: light }
    const drift = 1 - Math.exp(-elapsedMs / forgetMs)
    const range = {
      low: Math.min(light, known.low + drift * (light - known.low)),
      high: Math.max(light, known.high - drift * (known.high - light)),
    }
    ranges.set(bulb, range)
    return range
  }
  const seenIn = (frame: Frame, elapsedMs: number): LampColour => {
    const lights = bulbs.map(({ bulb, box }) => ({ bulb, light: lightOf(frame, bulb, box) }))
    const ranked = lights
      .map(({ bulb, light }) => ({ bulb, light, range: learn(bulb, light, elapsedMs) }))
      .sort((a, b) => b.light - a.light)
    const isKnown = ranked.every(({ range }) => range.high - range.low >= minRange)
    if (!isKnown) return ranked[0]!.light - ranked[1]!.light >= minLead ? ranked[0]!.bulb : 'unknown'
    const levels = ranked
      .map(({ bulb, light, range }) => ({ bulb, level: (light - range.low) / (range.high - range.low) }))
      .sort((a, b) => b.level - a.level)
    return levels[0]!.level >= litFrom && levels[1]!.level <= darkBelow ? levels[0]!.bulb : 'unknown'
  }

  const note = (colour: LampColour, at: number) => {
    changes = [...changes, { colour, at }].slice(-maxChanges)
    candidate = null
  }

  return {
    observe(frame: Frame): void {
      const at = frame.takenAt
      const colour = seenIn(frame, lastAt === null ? 0 : Math.max(0, at - lastAt))
      lastAt = at
      const shown = changes.at(-1)?.colour ?? 'unknown'
      if (colour === 'unknown') {
        if (shown !== 'unknown' && at - litAt >= confirmUnknownMs) note('unknown', litAt)
        return
      }
      litAt = at
      if (colour === shown) candidate = null
      else if (candidate?.colour !== colour) candidate = { colour, since: at }
      else if (at - candidate.since >= confirmMs) note(colour, candidate.since)
    },
    /** What the lamp showed at a moment of the last few changes. */
    at(ms: number): LampState {
      const change = changes.findLast(({ at }) => at <= ms)
      return change ? { colour: change.colour, sinceMs: ms - change.at } : { colour: 'unknown', sinceMs: 0 }
    },
    /** After a gap nobody knows what the lamp did; what its bulbs look like is kept. */
    forgetChanges(): void {
      changes = []
      candidate = null
      lastAt = null
    },
  }
}

export type Lamp = ReturnType<typeof createLamp>
