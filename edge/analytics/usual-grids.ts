import { createCadence } from './cadence.js'
import type { PlumeGrid } from './plume-evidence.js'
import { createUsualScores, type Unusual, type UsualState } from './usual-scores.js'

/** How often what was learnt is worth storing: a restart then costs some minutes of a memory of hours. */
const keepEverySeconds = 600
/** Raised whenever the stored form changes; an older form is not taken over. */
const stateVersion = 1

interface Kept {
  readonly version: number
  /** SHA-256 of the model's weights: another model scores otherwise. */
  readonly model: string
  readonly labels: Readonly<Record<string, UsualState | null>>
}

/** The usual scores of a camera per label, begun anew with another model or grid, kept over restarts. */
export const createUsualGrids = (restored: unknown) => {
  const keep = createCadence(keepEverySeconds)
  const old = isKept(restored) ? restored : null
  let grids = new Map<string, ReturnType<typeof createUsualScores>>()
  let madeFor: string | null = null
  let kept: Kept | undefined

  const gridFor = (label: string, grid: PlumeGrid, model: string) => {
    const wanted = `${model} ${grid.columns}x${grid.rows}`
    if (wanted !== madeFor) grids = new Map()
    madeFor = wanted
    const known = grids.get(label)
    if (known) return known
    const made = createUsualScores(grid)
    const state = old?.labels[label]
    if (state && old.model === model) made.restore(state)
    grids.set(label, made)
    return made
  }

  return {
    /** See `createUsualScores`. */
    accept(
      label: string,
      at: number,
      grid: PlumeGrid,
      { model, ...now }: { readonly model: string; readonly threshold: number; readonly isAlarmed: boolean },
    ): Unusual {
      const unusual = gridFor(label, grid, model).accept(at, grid.scores, now)
      if (keep.isDue(at))
        kept = {
          version: stateVersion,
          model,
          labels: {
            // A label that has not been looked at yet since the restart keeps what it had.
            ...(old?.model === model ? old.labels : {}),
            ...Object.fromEntries([...grids].map(([name, scores]) => [name, scores.state()])),
          },
        }
      return unusual
    },
    clear(): void {
      for (const scores of grids.values()) scores.clear()
    },
    state: (): unknown => kept,
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isUsual = (value: unknown): boolean =>
  value === null ||
  (isRecord(value) &&
    Number.isFinite(value.at) &&
    [value.level, value.deviation, value.seen].every(list => Array.isArray(list) && list.every(Number.isFinite)))

const isKept = (value: unknown): value is Kept =>
  isRecord(value) &&
  value.version === stateVersion &&
  typeof value.model === 'string' &&
  isRecord(value.labels) &&
  Object.values(value.labels).every(isUsual)
