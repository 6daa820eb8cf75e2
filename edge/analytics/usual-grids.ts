import { type Static, Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { createCadence } from './cadence.js'
import type { PlumeGrid } from './plume-evidence.js'
import { createUsualScores, type Unusual, UsualState } from './usual-scores.js'

/** How often what was learnt is worth storing: a restart then costs some minutes of a memory of hours. */
const keepEverySeconds = 600
/** Raised whenever the stored form changes; an older form is not taken over. */
const stateVersion = 2

const Kept = Type.Object({
  version: Type.Literal(stateVersion),
  seenBy: Type.String({ description: 'The model that scored, and which part of the frame: another scores otherwise.' }),
  labels: Type.Record(Type.String(), Type.Union([UsualState, Type.Null()])),
})
type Kept = Static<typeof Kept>

/** The usual scores of a camera per label, begun anew with another model, grid or part of the frame, kept over restarts. */
export const createUsualGrids = (restored: unknown) => {
  const keep = createCadence(keepEverySeconds)
  const old = Value.Check(Kept, restored) ? restored : null
  let grids = new Map<string, ReturnType<typeof createUsualScores>>()
  let madeFor: string | null = null
  let kept: Kept | undefined

  const gridFor = (label: string, grid: PlumeGrid, seenBy: string) => {
    const wanted = `${seenBy} ${grid.columns}x${grid.rows}`
    if (wanted !== madeFor) grids = new Map()
    madeFor = wanted
    const known = grids.get(label)
    if (known) return known
    const made = createUsualScores(grid)
    const state = old?.labels[label]
    if (state && old.seenBy === seenBy) made.restore(state)
    grids.set(label, made)
    return made
  }

  return {
    /** See `createUsualScores`; `seenBy` names the model that scored and the part of the frame. */
    accept(
      label: string,
      at: number,
      grid: PlumeGrid,
      { seenBy, ...now }: { readonly seenBy: string; readonly threshold: number; readonly isAlarmed: boolean },
    ): Unusual {
      const unusual = gridFor(label, grid, seenBy).accept(at, grid.scores, now)
      if (keep.isDue(at))
        kept = {
          version: stateVersion,
          seenBy,
          labels: {
            // A label that has not been looked at yet since the restart keeps what it had.
            ...(old?.seenBy === seenBy ? old.labels : {}),
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
