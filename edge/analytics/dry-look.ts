import { type Static, Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import type { Polygon } from '@watchpost/shared/contracts/primitives'
import type { ScoreMask } from './gauge.js'
import { cellsInside } from './geometry.js'

/** What is learnt is kept for cells of this grid over the frame: some 25 kB for a road that fills a third of it. */
const columns = 56
const rows = 32
/** The sun, lamps and shadows make a road look different: each part of the (UTC) day has a look of its own. */
const partMs = 4 * 3_600_000
const parts = 6
/** A part of a day counts when it was seen on at least so many frames, over at least so long. */
const leastFrames = 60
const leastSpanMs = 3_600_000
/** A cell's dry look is the driest of the days; it rises by so much a day, so that new asphalt is forgotten in weeks, not a flood in days. */
const risePerDay = 0.03
/** A cell that even on its driest day scored this share of the threshold says nothing about water. */
const suspectShare = 0.8
/** What was seen of the part of the day under way is stored so often, so that restarts cost no more of it. */
const storeMs = 10 * 60_000
/** Raised whenever the stored form changes; an older form is not taken over. */
const stateVersion = 2

const Part = Type.Object({ days: Type.Number(), scores: Type.Array(Type.Number()) })
const Seeing = Type.Object({
  slot: Type.Number({ description: 'Of a part of one day, counted since 1970.' }),
  since: Type.Number(),
  until: Type.Number(),
  frames: Type.Number(),
  sums: Type.Array(Type.Number()),
})
const Kept = Type.Object({
  version: Type.Literal(stateVersion),
  madeFor: Type.String({ description: 'Weights and road zone: another model or zone looks otherwise.' }),
  parts: Type.Array(Type.Union([Part, Type.Null()]), { minItems: parts, maxItems: parts }),
  seeing: Type.Union([Seeing, Type.Null()]),
})
type Part = Static<typeof Part>
type Seeing = Static<typeof Seeing>
type Kept = Static<typeof Kept>

/**
 * How wet a dry road looks to the model through one fixed camera: per cell and part of the day the mean score of the
 * driest day. Where even that is water, the cell tells nothing and the flooded share is measured without it. A flood
 * becomes a dry look only when every day so far was flooded at that hour; then it is left out, not called dry.
 *
 * @param days of a part of the day that must have been seen before its look counts; 0 learns and leaves out nothing.
 */
export const createDryLook = (
  zone: Polygon,
  { days, restored }: { readonly days: number; readonly restored: unknown },
) => {
  const cells = cellsInside(zone, columns, rows)
  const place = JSON.stringify(zone)
  const positionOf = new Map(cells.map((cell, position) => [cell, position]))
  let kept: Kept | undefined = Value.Check(Kept, restored) ? restored : undefined
  let seeing = structuredClone(kept?.seeing ?? null)

  /** What was seen of a part of a day, now that it is over. */
  const close = (
    { slot, since, until, frames, sums }: Seeing,
    looks: readonly (Part | null)[],
  ): readonly (Part | null)[] => {
    if (frames < leastFrames || until - since < leastSpanMs) return looks
    const part = slot % parts
    const before = looks[part]
    const scores = sums.map((sum, position) => {
      const mean = sum / frames
      const usual = before?.scores[position]
      return Math.round(1000 * (usual === undefined ? mean : Math.min(mean, usual + risePerDay))) / 1000
    })
    return looks.with(part, { days: (before?.days ?? 0) + 1, scores })
  }

  return {
    /**
     * One frame's mask, taken at `at` (Unix milliseconds, ascending) by the model `model` (SHA-256).
     * Gives whether a pixel of the mask is to be left out at this hour, by `row * width + column`; null when none is.
     */
    accept(at: number, mask: ScoreMask, threshold: number, model: string): ((pixel: number) => boolean) | null {
      if (days === 0 || cells.length === 0) return null
      const madeFor = `${model} ${place}`
      const fits = (scores: readonly number[] | undefined) => !scores || scores.length === cells.length
      if (kept?.madeFor !== madeFor || !fits(seeing?.sums) || !kept.parts.every(part => fits(part?.scores))) {
        kept = { version: stateVersion, madeFor, parts: Array.from({ length: parts }, () => null), seeing: null }
        seeing = null
      }
      const slot = Math.floor(at / partMs)
      if (seeing && seeing.slot !== slot) {
        kept = { ...kept, parts: [...close(seeing, kept.parts)], seeing: null }
        seeing = null
      }
      seeing ??= { slot, since: at, until: at, frames: 0, sums: cells.map(() => 0) }
      seeing.until = at
      seeing.frames++
      for (const [position, score] of pooled(mask, cells).entries()) seeing.sums[position]! += score
      if (at - (kept.seeing?.until ?? seeing.since) >= storeMs)
        kept = { ...kept, seeing: { ...seeing, sums: seeing.sums.map(sum => Math.round(1000 * sum) / 1000) } }
      const look = kept.parts[slot % parts]
      if (!look || look.days < days) return null
      const suspect = (position: number) => look.scores[position]! >= suspectShare * threshold
      if (!look.scores.some((_, position) => suspect(position))) return null
      return pixel => {
        const position = positionOf.get(cellOf(pixel, mask))
        return position !== undefined && suspect(position)
      }
    },
    /** For a restart; the same object for ten minutes, or until a part of the day is over. */
    state: (): unknown => kept,
  }
}

const cellOf = (pixel: number, { width, height }: ScoreMask): number => {
  const [x, y] = [pixel % width, Math.floor(pixel / width)]
  return Math.floor(((y + 0.5) / height) * rows) * columns + Math.floor(((x + 0.5) / width) * columns)
}

/** Mean score of the mask's pixels in each cell; of a mask that is coarser than the cells, of the pixel nearest to it. */
const pooled = (mask: ScoreMask, cells: readonly number[]): number[] =>
  cells.map(cell => {
    const [column, row] = [cell % columns, Math.floor(cell / columns)]
    const [left, right] = span(column, columns, mask.width)
    const [top, bottom] = span(row, rows, mask.height)
    let sum = 0
    for (let y = top; y < bottom; y++) for (let x = left; x < right; x++) sum += mask.scores[y * mask.width + x]!
    return sum / ((bottom - top) * (right - left))
  })

/** From the first pixel with its middle in a part to before the first one of the next part; at least one pixel. */
const span = (part: number, of: number, size: number): readonly [from: number, to: number] => {
  const from = Math.min(Math.ceil((part / of) * size - 0.5), size - 1)
  return [from, Math.max(Math.ceil(((part + 1) / of) * size - 0.5), from + 1)]
}
