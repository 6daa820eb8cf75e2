import type { LevelReading, SeenEvent, SeenIncident } from '../run-records.js'
import type { Truth } from '../truth.js'
import { isWithin, meanOf, overlapOf, rmsOf, type Span } from './figures.js'
import { reachedAt, waterAt } from './water.js'

export type LightOfFlood = 'day' | 'dusk' | 'night' | 'rain'

export interface LevelError {
  readonly t: number
  readonly readCm: number
  readonly trueCm: number
  readonly errorCm: number
}

export interface Crossing {
  readonly level: string
  readonly cm: number
  readonly at: number
  /**
   * Seconds until central had an event of this level or a higher one, and the incident; null: none came. One that came long
   * before was a false alarm, not an answer.
   */
  readonly toEventS: number | null
  readonly toIncidentS: number | null
}

export interface Suspension {
  /** Seconds in which the lens was covered or the camera moved, in which levels were suspended, and both. */
  readonly blindS: number
  readonly suspendedS: number
  readonly rightlyS: number
}

export interface FloodScore {
  readonly light: LightOfFlood
  readonly readings: number
  /** Of the readings while the lens was free. */
  readonly goodShare: number | null
  readonly errors: readonly LevelError[]
  readonly rmseCm: number | null
  readonly maeCm: number | null
  readonly biasCm: number | null
  /** The delay that explains the readings best, and what error remains without it. */
  readonly lagS: number | null
  readonly rmseWithoutLagCm: number | null
  readonly suspension: Suspension
  readonly wrongWhileSuspendedS: number
  readonly crossings: readonly Crossing[]
}

/** A reading holds until the next one, but no longer than this. */
const maxHoldS = 10
/** A level that is further off than this while the lens is covered or the camera moved is wrong. */
const wrongCm = 5
/** A level may be told so much before it is reached: what the permitted error of the level makes of it. */
const earlyS = 10
const lagStepS = 0.5
const maxLagS = 15

export const scoreFlood = (
  truth: Truth,
  playedS: number,
  levels: readonly LevelReading[],
  events: readonly SeenEvent[],
  incidents: readonly SeenIncident[],
): FloodScore => {
  const blind = blindSpans(truth, playedS)
  const seen = levels.filter(({ t }) => t >= 0 && t <= playedS).toSorted((a, b) => a.t - b.t)
  const free = seen.filter(({ t }) => !blind.some(span => isWithin(t, span)))
  const good = free.filter(({ cm, quality }) => cm !== null && quality === 'good')
  const errors = good.flatMap(({ t, cm }) => errorAt(truth, t, cm!))
  const lag = bestLag(truth, good)
  return {
    light: lightOf(truth),
    readings: seen.length,
    goodShare: free.length === 0 ? null : good.length / free.length,
    errors,
    ...errorFigures(errors),
    lagS: lag?.s ?? null,
    rmseWithoutLagCm: lag?.rmseCm ?? null,
    suspension: suspensionOf(seen, blind, playedS),
    wrongWhileSuspendedS: wrongSeconds(truth, seen, blind, playedS),
    crossings: crossingsOf(truth, playedS, events, incidents),
  }
}

export const errorFigures = (errors: readonly Pick<LevelError, 'errorCm'>[]) => {
  const values = errors.map(({ errorCm }) => errorCm)
  return { rmseCm: rmsOf(values), maeCm: meanOf(values.map(Math.abs)), biasCm: meanOf(values) }
}

/** Rain decides before the light: drops on the lens are what makes it hard. */
export const lightOf = ({ light, weather }: Pick<Truth, 'light' | 'weather'>): LightOfFlood =>
  weather.some(word => word.includes('rain')) ? 'rain' : light

/** When levels must be suspended. */
export const blindSpans = ({ conditions }: Truth, playedS: number): readonly Span[] =>
  conditions
    .filter(({ kind, from }) => (kind === 'covered' || kind === 'moved') && from < playedS)
    .map(({ from, until }) => ({ from, until: Math.min(until, playedS) }))

const errorAt = ({ frames }: Truth, t: number, readCm: number): LevelError[] => {
  const trueCm = waterAt(frames, t)
  return trueCm === null ? [] : [{ t, readCm, trueCm, errorCm: readCm - trueCm }]
}

const bestLag = (truth: Truth, good: readonly LevelReading[]) => {
  let best: { s: number; rmseCm: number } | undefined
  for (let s = 0; s <= maxLagS; s += lagStepS) {
    const errors = good.flatMap(({ t, cm }) => (t < s ? [] : errorAt(truth, t - s, cm!)))
    const rmseCm = rmsOf(errors.map(({ errorCm }) => errorCm))
    if (rmseCm !== null && (!best || rmseCm < best.rmseCm)) best = { s, rmseCm }
  }
  return best
}

/** Each reading with the time for which it was the newest. */
const holds = (seen: readonly LevelReading[], playedS: number) =>
  seen.map((reading, index) => ({
    reading,
    span: { from: reading.t, until: Math.min(seen[index + 1]?.t ?? playedS, reading.t + maxHoldS, playedS) },
  }))

const suspensionOf = (seen: readonly LevelReading[], blind: readonly Span[], playedS: number): Suspension => {
  const suspended = holds(seen, playedS).filter(({ reading }) => reading.quality === 'suspended')
  const length = ({ from, until }: Span) => until - from
  return {
    blindS: sum(blind.map(length)),
    suspendedS: sum(suspended.map(({ span }) => length(span))),
    rightlyS: sum(suspended.flatMap(({ span }) => blind.map(one => overlapOf(one, span)))),
  }
}

/** Only what was read while blind counts, not what had been read before and still stood there. */
const wrongSeconds = (truth: Truth, seen: readonly LevelReading[], blind: readonly Span[], playedS: number): number =>
  sum(
    holds(seen, playedS).flatMap(({ reading: { t, cm, quality }, span }) => {
      const trueCm = waterAt(truth.frames, t)
      if (quality !== 'good' || cm === null || trueCm === null || Math.abs(cm - trueCm) <= wrongCm) return []
      return blind.filter(one => isWithin(t, one)).map(one => overlapOf(one, span))
    }),
  )

const crossingsOf = (
  truth: Truth,
  playedS: number,
  events: readonly SeenEvent[],
  incidents: readonly SeenIncident[],
): readonly Crossing[] => {
  const cmOf = new Map((truth.levels ?? []).map(({ name, cm }) => [name, cm]))
  return (truth.levels ?? []).flatMap(({ name, cm }) => {
    const at = reachedAt(truth.frames, cm)
    if (at === null || at > playedS) return []
    const event = events.find(
      ({ kind, level, phase, t }) =>
        kind === 'flood-level' && phase !== 'ended' && t >= at - earlyS && (cmOf.get(level ?? '') ?? 0) >= cm,
    )
    const incident = incidents.find(
      ({ kind, raisedT, happenings }) =>
        event &&
        kind === 'flood-level' &&
        raisedT >= at - earlyS &&
        happenings.some(({ happeningId }) => happeningId === event.happeningId),
    )
    const isFirst = cm === Math.min(...truth.levels!.map(level => level.cm))
    return [
      {
        level: name,
        cm,
        at,
        toEventS: event ? event.receivedT - at : null,
        // Higher levels change an incident that is there; only the first one raises it.
        toIncidentS: event && incident && isFirst ? incident.raisedT - at : null,
      },
    ]
  })
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)
