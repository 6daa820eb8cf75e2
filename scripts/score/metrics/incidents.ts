import type { SeenIncident } from '../run-records.js'
import { upperBound95 } from './poisson.js'

/** Names the real happening a told happening of a scene is; undefined: there was none. */
export type RealOf = (scene: string, happeningId: string) => string | undefined

export interface IncidentScore {
  readonly raised: number
  readonly falseOnes: readonly SeenIncident[]
  /** Incidents beyond the first, by real happening that was found at all. */
  readonly duplicates: ReadonlyMap<string, number>
  /** Mean of them; null when no happening was found. */
  readonly duplicatesPerHappening: number | null
}

export const scoreIncidents = (incidents: readonly SeenIncident[], realOf: RealOf): IncidentScore => {
  const realsOf = ({ happenings }: SeenIncident) => [
    ...new Set(happenings.map(({ scene, happeningId }) => realOf(scene, happeningId)).filter(key => key !== undefined)),
  ]
  const counts = new Map<string, number>()
  for (const incident of incidents) for (const key of realsOf(incident)) counts.set(key, (counts.get(key) ?? 0) + 1)
  const duplicates = new Map([...counts].map(([key, count]) => [key, count - 1]))
  const extra = [...duplicates.values()].reduce((sum, count) => sum + count, 0)
  return {
    raised: incidents.length,
    falseOnes: incidents.filter(incident => realsOf(incident).length === 0),
    duplicates,
    duplicatesPerHappening: duplicates.size === 0 ? null : extra / duplicates.size,
  }
}

export interface Rate {
  readonly count: number
  readonly cameraDays: number
  readonly perCameraDay: number | null
  readonly upper95PerCameraDay: number | null
}

/** Nothing was measured without exposure. */
export const rateOf = (count: number, playedS: readonly number[]): Rate => {
  const cameraDays = playedS.reduce((sum, seconds) => sum + seconds, 0) / 86_400
  return {
    count,
    cameraDays,
    perCameraDay: cameraDays === 0 ? null : count / cameraDays,
    upper95PerCameraDay: cameraDays === 0 ? null : upperBound95(count) / cameraDays,
  }
}
