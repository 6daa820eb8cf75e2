import { tasksOf } from './analytics-of.js'
import { type BearingError, bearingErrors } from './metrics/bearing.js'
import type { Span } from './metrics/figures.js'
import { type FireScore, scoreFire } from './metrics/fire.js'
import { type FloodScore, scoreFlood } from './metrics/flood.js'
import type { HotaScore } from './metrics/hota.js'
import type { IdentityScore } from './metrics/idf1.js'
import { isWithin } from './metrics/figures.js'
import { scoreViolations, type ViolationScore } from './metrics/violations.js'
import { floodedSpans } from './metrics/water.js'
import type { SceneRun, SeenIncident } from './run-records.js'

/** Everything that was measured of one scene; what its camera does not do is null. */
export interface SceneScore {
  readonly run: SceneRun
  readonly flood: FloodScore | null
  readonly fire: FireScore | null
  readonly bearings: readonly BearingError[]
  readonly violations: ViolationScore | null
  readonly tracks: TrackScore | null
  /** Real happening of each told one that belongs to one. */
  readonly realOf: ReadonlyMap<string, string>
}

export interface TrackScore extends IdentityScore, HotaScore {
  readonly frames: number
}

export const scoreScene = (
  run: SceneRun,
  incidents: readonly SeenIncident[],
  tracks: TrackScore | null,
): SceneScore => {
  const { truth, playedS, heldS, events, levels } = run
  const tasks = tasksOf(truth)
  const own = incidents.filter(({ happenings }) => happenings.some(({ scene }) => scene === truth.scene))
  const fire = tasks.includes('smoke-flame') ? scoreFire(truth, playedS, events, own) : null
  const violations = tasks.includes('traffic') ? scoreViolations(truth, { playedS, heldS }, events) : null
  return {
    run,
    flood: tasks.includes('flood') ? scoreFlood(truth, playedS, levels, events, own) : null,
    fire,
    bearings: fire ? bearingErrors(truth, fire.detections) : [],
    violations,
    tracks,
    realOf: realHappenings(run, fire, violations),
  }
}

const realHappenings = (
  { truth, events }: SceneRun,
  fire: FireScore | null,
  violations: ViolationScore | null,
): ReadonlyMap<string, string> => {
  const reals = new Map<string, string>()
  // What two cameras see at one place is one happening; 3 decimals of a degree are 100 m.
  for (const [id, { kind, location, id: own }] of fire?.matched ?? [])
    reals.set(
      id,
      location ? `${kind} at ${location.map(degree => degree.toFixed(3)).join(' ')}` : `${truth.scene}/${own}`,
    )
  for (const { truth: real, event } of violations?.found ?? [])
    reals.set(event.happeningId, `${truth.scene}/${real.id}`)
  const spans = floodsOf(truth)
  for (const { kind, phase, happeningId, t } of events) {
    if (kind !== 'flood-level' || phase !== 'began') continue
    const index = spans.findIndex(span => isWithin(t, span, floodMarginS))
    if (index >= 0) reals.set(happeningId, `${truth.scene}/flood-${index}`)
  }
  return reals
}

/** A flood told so much early or late is still that flood. */
const floodMarginS = 10

/** When the lowest alarm level stood under water: read from the levels themselves, or as the truth lists them. */
export const floodsOf = ({ levels, frames, happenings }: SceneRun['truth']): readonly Span[] => {
  const listed = happenings.filter(({ kind }) => kind === 'flood-level')
  if (!levels?.length) return listed
  return floodedSpans(frames, Math.min(...levels.map(({ cm }) => cm)))
}
