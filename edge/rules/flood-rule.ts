import type { EventPhase } from '@watchpost/shared/contracts/event'
import type { Severity } from '@watchpost/shared/contracts/primitives'
import type { Reading } from '../analytics/reading.js'
import type { FloodAnalytic } from '../config/agent-config.js'
import { draftOf, happeningIdOf } from './happening.js'
import { createLevelLadder } from './level-ladder.js'
import { hasShape, readState, storedState } from './restored-state.js'
import type { EventDraft, Rule, RuleContext } from './rule.js'

/** An uncertain reading counts for a third of its time: it raises and ends an alarm too, but three times as slowly. */
const uncertainWeight = 1 / 3
/** Readings further apart than this many frame intervals (at least 30 s) leave the time between them unseen. */
const maxGapFrames = 3
const minGapMs = 30_000

interface AlarmLevel {
  readonly name: string
  readonly threshold: number
  readonly severity: Severity
}

interface OpenFlood {
  readonly happeningId: string
  /** The level in force as it was then: levels may have been renamed, moved or removed since it was stored. */
  readonly threshold: number
  readonly name: string
  readonly severity: Severity
}

interface Value {
  readonly at: number
  readonly value: number
  readonly bound: 'exact' | 'atLeast' | 'atMost'
  readonly certain: boolean
  readonly confidence: number
}

const isOpenFlood = (value: unknown): value is OpenFlood =>
  hasShape(value, { happeningId: 'string', threshold: 'number', name: 'string', severity: 'string' })

/** Level readings in; began, updated (every change of the alarm level) and ended out. */
export const createFloodRule = (config: FloodAnalytic, { cameraId, restored }: RuleContext): Rule => {
  const byGauge = config.gauge !== undefined
  const levels = alarmLevelsOf(config, cameraId)
  const stored = readState(restored, isOpenFlood)
  let open: OpenFlood | null = stored.open[0] ?? null
  const rungOf = ({ threshold }: OpenFlood) =>
    Math.max(
      0,
      levels.findLastIndex(level => level.threshold <= threshold),
    )
  let rung = open && levels.length > 0 ? rungOf(open) : -1
  const ladder = createLevelLadder(
    {
      thresholds: levels.map(({ threshold }) => threshold),
      hysteresis: byGauge ? config.hysteresisCm : config.hysteresisShare,
      dwellMs: config.dwellSeconds * 1000,
      endDwellMs: config.endDwellSeconds * 1000,
      maxGapMs: Math.max(minGapMs, (maxGapFrames * 1000) / config.fps),
    },
    rung,
  )

  const draft = (phase: EventPhase, happeningId: string, level: AlarmLevel, { at, value, confidence }: Value) =>
    draftOf(config.id, at, {
      happeningId,
      kind: 'flood-level',
      phase,
      severity: level.severity,
      confidence,
      measure: byGauge
        ? { property: 'floodLevel', value: Number(value.toFixed(1)), unit: 'cm' }
        : { property: 'floodShare', value: Number(value.toFixed(3)), unit: '1' },
      level: level.name,
      geometry: { ...(config.roadZone ? { polygon: config.roadZone } : {}), label: 'water' },
    })

  const step = (value: Value): readonly EventDraft[] => {
    const before = rung
    rung = ladder.step({ ...value, weight: value.certain ? 1 : uncertainWeight })
    const orphaned = open !== null && levels.length === 0
    if (rung === before && !orphaned) return []
    // An end names the lowest level: it is the one that was left last.
    const { name, threshold, severity } = levels[Math.max(rung, 0)] ?? open!
    const phase: EventPhase = open === null ? 'began' : rung < 0 ? 'ended' : 'updated'
    const happeningId = open?.happeningId ?? happeningIdOf(cameraId, config.id, value.at, 'level')
    open = rung < 0 ? null : { happeningId, name, threshold, severity }
    return [draft(phase, happeningId, { name, threshold, severity }, value)]
  }

  return {
    evaluate: readings =>
      readings.flatMap(reading => {
        const value = sightingOf(reading, byGauge)
        if (value === undefined) return []
        if (value !== null) return step(value)
        ladder.forgetPending()
        return []
      }),
    state: () => storedState(open ? [open] : []),
    restoreProblem: stored.problem,
  }
}

/** Undefined for a reading of another kind, null for a suspended one. */
const sightingOf = (reading: Reading, byGauge: boolean): Value | null | undefined => {
  if (reading.type !== (byGauge ? 'level' : 'flooded-share')) return undefined
  const { at, quality, confidence } = reading
  const value = reading.type === 'level' ? reading.levelCm : reading.share
  if (quality === 'suspended' || value === null) return null
  return {
    at,
    value,
    bound: reading.type === 'level' ? reading.bound : 'exact',
    certain: quality === 'good',
    confidence,
  }
}

const alarmLevelsOf = ({ id, gauge, levels, shareLevels }: FloodAnalytic, cameraId: string): readonly AlarmLevel[] => {
  const alarms = gauge
    ? levels.map(level => ({ ...level, threshold: level.cm }))
    : shareLevels.map(level => ({ ...level, threshold: level.share }))
  const wrong = alarms.findIndex((level, index) => index > 0 && level.threshold <= alarms[index - 1]!.threshold)
  if (wrong < 0) return alarms
  throw new Error(
    `Cannot make the alarm levels of analytic ${id} of camera ${cameraId}: "${alarms[wrong]!.name}" is not higher than ` +
      `"${alarms[wrong - 1]!.name}" before it. List the levels from low to high.`,
  )
}
