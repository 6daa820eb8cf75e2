import type { EventKind, EventPhase } from '@watchpost/shared/contracts/event'
import { type Severity, severities, utcTime } from '@watchpost/shared/contracts/primitives'
import type { Reading } from '../analytics/reading.js'
import type { PlumeAnalytic } from '../config/agent-config.js'
import { draftOf, happeningIdOf, isHigher, oneHigher } from './happening.js'
import { hasShape, isRecord, readState, storedState } from './restored-state.js'
import type { EventDraft, Rule, RuleContext } from './rule.js'

type PlumeReading = Extract<Reading, { type: 'plume' }>
type LandUse = PlumeReading['landUse']

/** A flame that changes less than this from frame to frame, with no smoke over it, is a lamp or a sunlit wall. */
const minFlicker = 0.015
/** A plume of this share of its zone, or growing by so much a minute, is one severity higher. */
const largeShare = 0.1
const fastGrowthPerMinute = 0.02
/** Readings further apart than this many frame intervals (at least 30 s) leave the time between them unseen. */
const maxGapFrames = 3
const minGapMs = 30_000

const kindOf: Readonly<Record<LandUse, EventKind>> = {
  forest: 'forest-fire',
  field: 'straw-burning',
  urban: 'urban-fire',
}
const smokeSeverity: Readonly<Record<LandUse, Severity>> = { forest: 'major', field: 'minor', urban: 'major' }

interface OpenPlume {
  readonly happeningId: string
  readonly zone: string
  readonly kind: EventKind
  readonly severity: Severity
  readonly confidence: number
}

const isOpenPlume = (value: unknown): value is OpenPlume =>
  hasShape(value, {
    happeningId: 'string',
    zone: 'string',
    kind: 'string',
    severity: 'string',
    confidence: 'number',
  }) &&
  isRecord(value) &&
  severities.includes(value.severity as Severity)

/** Plume readings in; one happening per zone out, its kind by land use, its severity by size, growth, flame and season. */
export const createPlumeRule = (config: PlumeAnalytic, { cameraId, view, restored }: RuleContext): Rule => {
  const stored = readState(restored, isOpenPlume)
  const open = new Map(stored.open.map(plume => [plume.zone, plume]))
  /** Time that nothing was seen of an open plume, and when that was last added to. */
  const absent = new Map<string, { readonly ms: number; readonly at: number }>()
  const maxGapMs = Math.max(minGapMs, (maxGapFrames * 1000) / config.fps)

  const draft = (phase: EventPhase, plume: OpenPlume, at: number, reading: PlumeReading | null): EventDraft =>
    draftOf(config.id, at, {
      happeningId: plume.happeningId,
      kind: plume.kind,
      phase,
      severity: plume.severity,
      confidence: plume.confidence,
      zone: plume.zone,
      ...(reading
        ? {
            measure: { property: `${reading.label}Share`, value: Number(reading.share.toFixed(4)), unit: '1' },
            geometry: {
              label: reading.label,
              ...(reading.box ? { box: reading.box } : {}),
              ...(reading.region ? { region: reading.region } : {}),
            },
            ...(view && reading.footX !== null ? { bearingDeg: bearingOf(reading.footX, view) } : {}),
          }
        : {}),
    })

  const severityOf = (reading: PlumeReading): Severity => {
    const base = smokeSeverity[reading.landUse]
    const grave =
      reading.label === 'flame' || reading.share >= largeShare || reading.growthPerMinute >= fastGrowthPerMinute
    const month = Number(utcTime(reading.at).slice(5, 7))
    const outOfSeason = reading.landUse === 'field' && !config.burningMonths.includes(month)
    return [grave, outOfSeason].filter(Boolean).reduce(oneHigher, base)
  }

  const seen = (reading: PlumeReading): readonly EventDraft[] => {
    const { at, zone, confidence, landUse } = reading
    absent.delete(zone)
    const known = open.get(zone)
    const severity = severityOf(reading)
    if (known && !isHigher(severity, known.severity)) return []
    const happeningId = known?.happeningId ?? happeningIdOf(cameraId, config.id, at, zone)
    const plume = { happeningId, zone, kind: known?.kind ?? kindOf[landUse], severity, confidence }
    open.set(zone, plume)
    return [draft(known ? 'updated' : 'began', plume, at, reading)]
  }

  const unseen = (zone: string, at: number): readonly EventDraft[] => {
    const plume = open.get(zone)
    if (!plume) return []
    const before = absent.get(zone) ?? { ms: 0, at }
    const ms = before.ms + Math.min(Math.max(0, at - before.at), maxGapMs)
    absent.set(zone, { ms, at })
    if (ms < config.endDwellSeconds * 1000) return []
    open.delete(zone)
    absent.delete(zone)
    return [draft('ended', plume, at, null)]
  }

  return {
    evaluate(readings, atMs) {
      const plumes = readings.filter(reading => reading.type === 'plume')
      // Without a reading the lens was covered: nothing is known, so nothing is counted.
      if (plumes.length === 0) return []
      const zones = new Set([...plumes.map(({ zone }) => zone), ...open.keys()])
      return [...zones].flatMap(zone => {
        const reading = strongest(plumes.filter(plume => plume.zone === zone))
        return reading ? seen(reading) : unseen(zone, atMs)
      })
    },
    state: () => storedState([...open.values()]),
    restoreProblem: stored.problem,
  }
}

/** The reading an event is told by: flame before smoke; null when nothing that counts is present. */
const strongest = (plumes: readonly PlumeReading[]): PlumeReading | null => {
  const smoke = plumes.find(({ label, present }) => label === 'smoke' && present)
  const flame = plumes.find(({ label, present }) => label === 'flame' && present)
  if (flame && (smoke || flame.flicker >= minFlicker)) return flame
  return smoke ?? null
}

/** Bearing of an image column: a pinhole's, so an angle is not proportional to its distance from the middle. */
const bearingOf = (x: number, view: NonNullable<RuleContext['view']>): number => {
  const half = (view.fieldOfViewDeg / 2) * (Math.PI / 180)
  const offsetDeg = (Math.atan((2 * x - 1) * Math.tan(half)) * 180) / Math.PI
  return Number(((view.bearingDeg + offsetDeg + 360) % 360).toFixed(1)) % 360
}
