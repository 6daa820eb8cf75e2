import type { EventPhase } from '@watchpost/shared/contracts/event'
import type { ImagePoint } from '@watchpost/shared/contracts/primitives'
import type { TrafficAnalytic } from '../config/agent-config.js'
import { draftOf, happeningIdOf } from './happening.js'
import { hasShape, isRecord, readState, storedState } from './restored-state.js'
import type { EventDraft, Rule, RuleContext } from './rule.js'
import { type Offence, offenceOf, severityOf, type TrackReading, type TrafficKind } from './traffic-offence.js'

/**
 * A vehicle that has not been seen at its offence for so long has left: a bus in front of it takes less. An offence of a
 * moment (red light, line) ends so long after it: every happening has an end, and it comes after the pictures of it.
 */
const goneMs = 5_000
/** A standing vehicle that gets a new track id (after an occlusion, a restart) is known again within this of its height. */
const samePlaceInHeights = 0.5
/** Two tracks that break one rule at one place within this time and this share of their height are one vehicle. */
const sameVehicle = { ms: 1_000, inHeights: 0.35 }
/** Between frames at most so much counts as time without the vehicle. */
const maxGapMs = 2_000

interface OpenOffence {
  readonly happeningId: string
  readonly kind: TrafficKind
  readonly place: string
  /** Unix milliseconds. */
  readonly beganAt: number
  readonly label: string
  readonly confidence: number
  /** Null after a restart: the tracker counts anew. */
  readonly trackId: number | null
  /** Middle of the box's bottom edge, and the box's height. */
  readonly foot: ImagePoint
  readonly height: number
}

const isOpenOffence = (value: unknown): value is OpenOffence =>
  hasShape(value, {
    happeningId: 'string',
    kind: 'string',
    place: 'string',
    label: 'string',
    beganAt: 'number',
    confidence: 'number',
    height: 'number',
  }) &&
  isRecord(value) &&
  Object.hasOwn(severityOf, String(value.kind)) &&
  Array.isArray(value.foot)

/** Readings of tracked vehicles in; one happening per vehicle and broken rule out. */
export const createTrafficRule = (config: TrafficAnalytic, { cameraId, restored }: RuleContext): Rule => {
  const stored = readState(restored, isOpenOffence)
  let open: OpenOffence[] = stored.open.map(offence => ({ ...offence, trackId: null }))
  /** What each live track was already told for. */
  const told = new Map<number, Set<string>>()
  const unseenMs = new Map<string, number>()
  let lastAt: number | null = null

  const draft = (phase: EventPhase, at: number, offence: OpenOffence, of: Offence | null): EventDraft =>
    draftOf(config.id, at, {
      happeningId: offence.happeningId,
      kind: offence.kind,
      phase,
      severity: severityOf[offence.kind],
      confidence: offence.confidence,
      zone: offence.place,
      geometry: { label: offence.label, ...(of ? { box: of.reading.box } : {}) },
      ...(of?.measure ? { measure: of.measure } : {}),
    })

  const begin = (offence: Offence, at: number): readonly EventDraft[] => {
    const { kind, place, reading } = offence
    const { trackId, label, confidence } = reading
    // A wrong-way driver passes several lanes and is one offence; a line or a zone is one each.
    const key = kind === 'wrong-way' ? kind : `${kind} ${place}`
    const known = told.get(trackId) ?? new Set()
    if (known.has(key)) return []
    told.set(trackId, known.add(key))
    const happening: OpenOffence = {
      happeningId: happeningIdOf(cameraId, config.id, at, `${trackId}-${place}`),
      kind,
      place,
      beganAt: at,
      label,
      confidence,
      trackId,
      foot: footOf(reading),
      height: reading.box[3],
    }
    const isTwin = (one: OpenOffence) =>
      one.kind === kind &&
      one.place === place &&
      at - one.beganAt < sameVehicle.ms &&
      isNear(one, happening, sameVehicle.inHeights)
    if (open.some(isTwin)) return []
    const before = kind === 'illegal-stopping' ? open.find(one => isSameStop(one, happening)) : undefined
    if (before) {
      open = open.map(one => (one === before ? { ...one, trackId } : one))
      return []
    }
    open = [...open, happening]
    return [draft('began', at, happening, offence)]
  }

  const end = (at: number, elapsedMs: number, readings: readonly TrackReading[]): readonly EventDraft[] => {
    const over = open.filter(offence => {
      const ms = readings.some(reading => isStillAt(reading, offence))
        ? 0
        : (unseenMs.get(offence.happeningId) ?? 0) + elapsedMs
      unseenMs.set(offence.happeningId, ms)
      return ms >= goneMs
    })
    open = open.filter(offence => !over.includes(offence))
    for (const { happeningId, kind, place, trackId } of over) {
      unseenMs.delete(happeningId)
      // Who drives on and stops again has stopped twice.
      if (kind === 'illegal-stopping' && trackId !== null) told.get(trackId)?.delete(`${kind} ${place}`)
    }
    return over.map(offence => draft('ended', at, offence, null))
  }

  return {
    evaluate(readings, atMs) {
      const elapsedMs = lastAt === null ? 0 : Math.min(Math.max(0, atMs - lastAt), maxGapMs)
      lastAt = atMs
      for (const reading of readings) if (reading.type === 'track-ended') told.delete(reading.trackId)
      if (readings.some(({ type }) => type === 'suspended')) return []
      const tracks = readings.filter(isTrackReading)
      const began = tracks.flatMap(reading => {
        const offence = offenceOf(reading, config)
        return offence ? begin(offence, atMs) : []
      })
      return [...began, ...end(atMs, elapsedMs, tracks)]
    },
    state: () => storedState(open),
    restoreProblem: stored.problem,
  }
}

const isTrackReading = (reading: { readonly type: string }): reading is TrackReading =>
  reading.type === 'crossing' || reading.type === 'travel' || reading.type === 'presence'

const footOf = ({ box: [x, y, width, height] }: TrackReading): ImagePoint => [x + width / 2, y + height]

/** Whether the vehicle of an open offence is still at it. A standing one is known by its place, not by its track id. */
const isStillAt = (reading: TrackReading, offence: OpenOffence): boolean => {
  if (offence.kind === 'wrong-way')
    return reading.type === 'travel' && reading.trackId === offence.trackId && reading.angleDeg > 90
  if (reading.type !== 'presence' || reading.zone !== offence.place) return false
  if (offence.kind === 'no-entry') return reading.trackId === offence.trackId
  return (
    offence.kind === 'illegal-stopping' &&
    isSameStop(offence, { kind: offence.kind, place: reading.zone, foot: footOf(reading), height: reading.box[3] })
  )
}

type Stop = Pick<OpenOffence, 'kind' | 'place' | 'foot' | 'height'>

const isSameStop = (a: Stop, b: Stop): boolean =>
  a.kind === b.kind && a.place === b.place && isNear(a, b, samePlaceInHeights)

const isNear = (a: Pick<Stop, 'foot' | 'height'>, b: Pick<Stop, 'foot' | 'height'>, inHeights: number): boolean =>
  Math.hypot(a.foot[0] - b.foot[0], a.foot[1] - b.foot[1]) < inHeights * Math.max(a.height, b.height)
