import type { Summary } from './summary.js'

export interface Hold {
  readonly id: string
  readonly text: string
  readonly target: number
  readonly value: number | null
  readonly unit: string
  /** Null: not measured, or not enough was played to tell. */
  readonly reached: boolean | null
}

/** What the chain is to reach, and whether this run shows that it does. */
export const holdsOf = ({
  flood,
  fire,
  traffic,
  falseIncidents,
  falseIncidentsPerCameraDay,
}: Summary): readonly Hold[] => [
  atMost('flood-day', 'Flood level by day, RMSE', flood.rmseCmDay, 3, 'cm'),
  atMost('flood-night', 'Flood level at night, dusk and in rain, RMSE', flood.rmseCmNight, 5, 'cm'),
  atMost('flood-blind', 'Wrong levels while the lens is covered or moved', flood.wrongWhileSuspended, 0, 's'),
  {
    ...atMost(
      'fire-time',
      'Slowest fire, from smoke over 1 % of the picture to the event',
      fire.secondsToDetect,
      30,
      's',
    ),
    ...(fire.missed > 0 ? { reached: false } : {}),
  },
  atLeast('fire-kind', 'Right kind of fire, or of none', fire.kindAccuracy, 0.95, '1'),
  atLeast('traffic-precision', 'Violations by day, precision', traffic.day.precision, 0.95, '1'),
  atLeast('traffic-recall', 'Violations by day, recall', traffic.day.recall, 0.9, '1'),
  falseIncidentHold(falseIncidentsPerCameraDay, falseIncidents.all.upper95PerCameraDay),
]

const falseIncidentTarget = 0.2

/** A quarter of an hour without one shows nothing: the bound has to lie below the target, or the count above it. */
const falseIncidentHold = (perDay: number | null, upper: number | null): Hold => ({
  id: 'false-incidents',
  text: 'False incidents per camera and day',
  target: falseIncidentTarget,
  value: perDay,
  unit: '1/day',
  reached:
    perDay === null || upper === null
      ? null
      : upper <= falseIncidentTarget
        ? true
        : perDay > falseIncidentTarget
          ? false
          : null,
})

const atMost = (id: string, text: string, value: number | null, target: number, unit: string): Hold => ({
  id,
  text,
  target,
  value,
  unit,
  reached: value === null ? null : value <= target,
})

const atLeast = (id: string, text: string, value: number | null, target: number, unit: string): Hold => ({
  ...atMost(id, text, value, target, unit),
  reached: value === null ? null : value >= target,
})
