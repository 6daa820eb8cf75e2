import type { Truth } from './truth.js'

/** What an operator would set up for the camera of a scene, from the calibration its truth holds. */
export type Task = 'flood' | 'smoke-flame' | 'traffic'

export const modelOf: Readonly<Record<Task, string>> = {
  flood: 'water-segmentation',
  'smoke-flame': 'smoke-flame',
  traffic: 'road-users',
}

/** Cadences and dwell times of all scenes; everything else is the agent's default. They are part of the score. */
export const settings = {
  flood: { fps: 1, dwellSeconds: 5, endDwellSeconds: 20, observeEverySeconds: 2 },
  'smoke-flame': { fps: 1, observeEverySeconds: 5 },
  traffic: { fps: 8 },
} as const

export const tasksOf = (truth: Truth): readonly Task[] => [
  ...(truth.gauge ? (['flood'] as const) : []),
  ...(truth.plumeZones ? (['smoke-flame'] as const) : []),
  ...(truth.stopLine || truth.laneDirection || truth.noStoppingZone || truth.solidLines ? (['traffic'] as const) : []),
]

/** Entries of the agent's `analytics:` list. */
export const analyticsOf = (truth: Truth): readonly Record<string, unknown>[] =>
  tasksOf(truth).map(task => ({ ...made[task](truth), model: modelOf[task], ...settings[task] }))

const made: Readonly<Record<Task, (truth: Truth) => Record<string, unknown>>> = {
  flood: ({ gauge, roadZone, levels }) => ({
    id: 'flood',
    kind: 'flood-level',
    gauge: { points: gauge!.points.filter(isInside).toSorted((a, b) => a.cm - b.cm) },
    ...(roadZone ? { roadZone } : {}),
    levels,
  }),
  'smoke-flame': ({ plumeZones }) => ({ id: 'plume', kind: 'smoke-flame', zones: plumeZones }),
  traffic: truth => ({
    id: 'traffic',
    kind: 'traffic',
    lamps: truth.stopLine ? (truth.lamps ?? []) : [],
    lines: linesOf(truth),
    lanes: (truth.laneDirection ?? []).map(lane => ({ ...lane, direction: inFractions(truth, lane.direction) })),
    zones: truth.noStoppingZone
      ? [{ id: 'kerb', kind: 'no-stopping', polygon: truth.noStoppingZone, seconds: truth.noStoppingSeconds ?? 10 }]
      : [],
  }),
}

const isInside = ({ x, y }: { readonly x: number; readonly y: number }): boolean => x >= 0 && x <= 1 && y >= 0 && y <= 1

const linesOf = (truth: Truth) => {
  const [approach] = truth.laneDirection ?? []
  const [lamp] = truth.lamps ?? []
  const stop =
    truth.stopLine && approach && lamp
      ? [
          {
            id: 'stop-line',
            kind: 'stop-line',
            points: truth.stopLine,
            lamp: lamp.id,
            forward: inFractions(truth, approach.direction),
          },
        ]
      : []
  return [...stop, ...(truth.solidLines ?? []).map(({ id, points }) => ({ id, kind: 'solid-line', points }))]
}

/** The truth has unit vectors in pixels, the agent wants fractions of width and height; the length says nothing. */
const inFractions = ({ width, height }: Truth, [x, y]: readonly [number, number]): [number, number] => {
  const [dx, dy] = [x / width, y / height]
  const length = Math.hypot(dx, dy) || 1
  return [Number((dx / length).toFixed(4)), Number((dy / length).toFixed(4))]
}
