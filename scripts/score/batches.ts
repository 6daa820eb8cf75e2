import { settings, type Task, tasksOf } from './analytics-of.js'
import { distanceM } from './metrics/bearing.js'
import type { Scene } from './scenes.js'
import type { Truth } from './truth.js'

/** Scenes that are shown at the same time. */
export type Batch = readonly Scene[]

/** Cores one camera takes: decoding and its models, measured with the shipped packages on one core of 2.x GHz. */
const coresOf: Readonly<Record<Task, number>> = {
  flood: 0.1 * settings.flood.fps,
  'smoke-flame': 0.1 * settings['smoke-flame'].fps,
  traffic: 0.065 * settings.traffic.fps,
}
const decodingCores = 0.05

export const costOf = (truth: Truth): number =>
  decodingCores + tasksOf(truth).reduce((sum, task) => sum + coresOf[task], 0)

/**
 * Groups of scenes that the machine carries at once, long ones together. Scenes that see one happening stay together;
 * cameras of one task that stand near each other without doing so are kept apart, or central would rightly merge what
 * belongs to two different days.
 */
export const batchesOf = (scenes: readonly Scene[], budgetCores: number): readonly Batch[] => {
  const groups = togetherOf(scenes).toSorted((a, b) => longest(b) - longest(a))
  const batches: Scene[][] = []
  for (const group of groups) {
    const fits = batches.find(
      batch => cost(batch) + cost(group) <= budgetCores && !batch.some(a => group.some(b => areNear(a, b))),
    )
    if (fits) fits.push(...group)
    else batches.push([...group])
  }
  return batches
}

const cost = (scenes: readonly Scene[]): number => scenes.reduce((sum, { truth }) => sum + costOf(truth), 0)
const longest = (scenes: readonly Scene[]): number => Math.max(...scenes.map(({ truth }) => truth.durationS))

const togetherOf = (scenes: readonly Scene[]): readonly Scene[][] => {
  const groups: Scene[][] = []
  for (const scene of scenes) {
    const group = groups.find(others => others.some(other => seeTheSame(other, scene)))
    if (group) group.push(scene)
    else groups.push([scene])
  }
  return groups
}

const samePlaceM = 20
const seeTheSame = (a: Scene, b: Scene): boolean =>
  a.truth.happenings.some(one =>
    b.truth.happenings.some(
      other =>
        one.kind === other.kind &&
        one.location !== undefined &&
        other.location !== undefined &&
        distanceM(one.location, other.location) <= samePlaceM,
    ),
  )

/** Central merges within 150 m by default. */
const nearM = 400
const areNear = (a: Scene, b: Scene): boolean =>
  tasksOf(a.truth).some(task => tasksOf(b.truth).includes(task)) &&
  distanceM(a.truth.camera.location, b.truth.camera.location) < nearM &&
  !seeTheSame(a, b)
