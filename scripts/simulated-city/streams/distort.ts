import { type Fault, faultDefaults } from './faults.js'

/** What arrives of a picture: its payloads, some damaged, `undefined` where one is lost. */
export interface Distorted {
  readonly payloads: readonly (Buffer | undefined)[]
  readonly corrupted: number
  readonly lost: number
}

/** One byte in this many of a corrupted packet is wrong. */
const bytesPerError = 40

/** Damages payloads as the active faults say. The same seeds and picture number give the same damage. */
export const distort = (payloads: readonly Buffer[], faults: readonly Fault[], number: number): Distorted => {
  let result: (Buffer | undefined)[] = [...payloads]
  let corrupted = 0
  for (const { kind, rate = faultDefaults.rate, seed = 1 } of faults) {
    if (kind !== 'corrupt' && kind !== 'loss') continue
    const random = randomOf(seed * 1_000_003 + number)
    result = result.map(payload => {
      const isHit = random() < rate
      if (!isHit || payload === undefined) return payload
      if (kind === 'loss') return undefined
      corrupted++
      return damage(payload, random)
    })
  }
  return { payloads: result, corrupted, lost: result.filter(payload => payload === undefined).length }
}

const damage = (payload: Buffer, random: () => number): Buffer => {
  const copy = Buffer.from(payload)
  for (let errors = Math.ceil(copy.length / bytesPerError); errors > 0; errors--) {
    const at = Math.floor(random() * copy.length)
    copy[at] = copy[at]! ^ (1 + Math.floor(random() * 255))
  }
  return copy
}

/** A small generator (mulberry32): good enough to choose packets, and the same everywhere. */
const randomOf = (seed: number): (() => number) => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
