import type { CameraView } from '@watchpost/shared/api/incidents'
import type { HotspotFeature, HotspotProperties } from '@watchpost/shared/api/public'
import type { Hotspot } from '../../registry/city.js'
import type { SeriesPoint } from '../../timeseries/time-series-store.js'

export interface HotspotInputs {
  readonly hotspot: Hotspot
  readonly condition: CameraView['condition'] | null
  readonly agentOnline: boolean
  /** Newest water level and rate of rise of its camera. */
  readonly level: SeriesPoint | undefined
  readonly rate: SeriesPoint | undefined
  /** Reviewers judged the flood that is being reported as false. */
  readonly disputed: boolean
  readonly snapshot: HotspotProperties['snapshot']
  readonly staleAfterMs: number
  /** Unix milliseconds. */
  readonly now: number
}

/** Slower than this the water stands, as far as a camera can tell. */
const steadyCmPerHour = 2
/** A reading from further ahead comes from a wrong clock. */
const clockToleranceMs = 60_000

const lost: ReadonlySet<string> = new Set(['offline', 'unauthorised', 'not-a-video', 'stalled'])
const obscured: ReadonlySet<string> = new Set(['frozen', 'black', 'covered', 'moved', 'blurred'])

/**
 * What citizens see of a hotspot. It fails closed: a level is shown only while it is `current`; in every other case it is
 * null, which no reader may show as dry.
 */
export const hotspotFeature = (inputs: HotspotInputs): HotspotFeature => {
  const { hotspot, level, now, staleAfterMs } = inputs
  const status = statusOf(inputs)
  const levelCm = status === 'current' ? level!.value! : null
  const reached = levelCm === null ? undefined : highestReached(hotspot, levelCm)
  const rateCmPerHour = levelCm === null ? null : rateOf(inputs)
  return {
    type: 'Feature',
    id: hotspot.id,
    geometry: { type: 'Point', coordinates: hotspot.location },
    properties: {
      id: hotspot.id,
      name: hotspot.name,
      status,
      levelCm: levelCm === null ? null : Math.round(levelCm),
      trend: trendOf(rateCmPerHour),
      rateCmPerHour: rateCmPerHour === null ? null : Math.round(rateCmPerHour),
      severity: reached?.severity ?? null,
      alarmLevel: reached?.name ?? null,
      observedAt: level ? new Date(level.at).toISOString() : null,
      validUntil: levelCm === null ? null : new Date(level!.at + staleAfterMs).toISOString(),
      // A picture from behind a cover, or of who knows when, tells nobody anything about the road.
      snapshot: status === 'current' || status === 'underReview' ? inputs.snapshot : null,
    },
  }
  function statusOf(of: HotspotInputs): HotspotProperties['status'] {
    if (of.condition !== null && lost.has(of.condition)) return 'offline'
    if (of.condition !== null && obscured.has(of.condition)) return 'obscured'
    if (!level) return 'offline'
    if (now - level.at > staleAfterMs) return of.agentOnline ? 'stale' : 'offline'
    if (level.at - now > clockToleranceMs || of.condition === 'clock-skew') return 'underReview'
    if (level.quality === 'suspended' || level.value === null) return 'obscured'
    return level.quality === 'uncertain' || of.disputed ? 'underReview' : 'current'
  }
}

const highestReached = (hotspot: Hotspot, levelCm: number): Hotspot['levels'][number] | undefined =>
  hotspot.levels
    .filter(({ cm }) => levelCm >= cm)
    .reduce<Hotspot['levels'][number] | undefined>(
      (highest, candidate) => (!highest || candidate.cm > highest.cm ? candidate : highest),
      undefined,
    )

const rateOf = ({ rate, now, staleAfterMs }: HotspotInputs): number | null =>
  rate && rate.quality === 'good' && now - rate.at <= staleAfterMs && rate.at - now <= clockToleranceMs
    ? rate.value
    : null

const trendOf = (rateCmPerHour: number | null): HotspotProperties['trend'] => {
  if (rateCmPerHour === null) return null
  if (Math.abs(rateCmPerHour) < steadyCmPerHour) return 'steady'
  return rateCmPerHour > 0 ? 'rising' : 'falling'
}
