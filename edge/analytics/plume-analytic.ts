import type { Box, Quality } from '@watchpost/shared/contracts/primitives'
import type { PlumeAnalytic } from '../config/agent-config.js'
import type { Analytic, AnalyticContext } from './analytic.js'
import { createCadence } from './cadence.js'
import { boxOutOf, closeUpOf, pointIn, wholeFrame } from './close-up.js'
import { cellsInside } from './geometry.js'
import { needDecoded, observationOf } from './observation-of.js'
import { createPlumeZone, type Plume } from './plume-zone.js'
import type { Reading } from './reading.js'
import { clamp, mean, median } from './statistics.js'
import { createUsualGrids } from './usual-grids.js'

const labels = ['smoke', 'flame'] as const
type Label = (typeof labels)[number]
type Zone = PlumeAnalytic['zones'][number]

const propertyOf = { smoke: 'smokeShare', flame: 'flameShare' } as const
const defaultThreshold = 0.5
/** Far smoke is faint and told by time; flames are bright, and reflections of the sun flicker, too. */
const leastScore = { smoke: 0.1, flame: 0.3 } as const
/** Flames do not begin faint: what rises slowly is light. */
const leastRise = { smoke: 1.1, flame: Number.POSITIVE_INFINITY } as const
/** Of `minShare`: a far plume begins as a single cell of the picture, a single cell of flame is mostly a lamp. */
const shareAsked = { smoke: 0.5, flame: 1 } as const

interface Watched {
  readonly zone: Zone & { readonly landUse: 'forest' | 'field' | 'urban' }
  readonly cells: readonly number[]
}

/** Grid of smoke and flame scores in; presence, share, growth and flicker per zone out. */
export const createPlumeAnalytic = (
  config: PlumeAnalytic,
  { cameraId, thresholds, modelInput, restored }: AnalyticContext,
): Analytic => {
  if (config.zones.every(zone => zone.landUse === 'ignore'))
    throw new Error(
      `Cannot watch for smoke with analytic ${config.id} of camera ${cameraId}: every zone has landUse ignore. Draw a forest, field or urban zone.`,
    )
  if (config.persistence.k > config.persistence.n)
    throw new Error(
      `Cannot watch for smoke with analytic ${config.id} of camera ${cameraId}: persistence asks for ${config.persistence.k} of ${config.persistence.n} frames. Make k at most n.`,
    )
  const corners = config.zones.flatMap(({ landUse, polygon }) => (landUse === 'ignore' ? [] : polygon))
  const zones = new Map(
    config.zones.flatMap(zone => labels.map(label => [`${zone.id} ${label}`, createPlumeZone(config)] as const)),
  )
  const usual = createUsualGrids(restored)
  const cadence = createCadence(config.observeEverySeconds)
  let layout: {
    readonly madeFor: string
    readonly watched: readonly Watched[]
    readonly all: readonly number[]
    readonly sight: { readonly quality: Quality; readonly reason?: string }
  } | null = null
  let shares: Record<Label, number[]> = { smoke: [], flame: [] }
  let suspension: string | null = null
  /** Present in some zone at the frame before. */
  const alarmed = new Set<Label>()

  const startAnew = () => {
    for (const zone of zones.values()) zone.clear()
    usual.clear()
    alarmed.clear()
    shares = { smoke: [], flame: [] }
  }

  return {
    closeUp(frame) {
      // Nothing is read while the picture cannot be trusted: one look is enough.
      if (suspension !== null || !config.closeUp || !modelInput) return null
      const region = closeUpOf(corners, frame, modelInput)
      return region && { region, withWhole: false }
    },
    update(input) {
      const at = input.frame.takenAt
      if (suspension !== null) {
        const value = { value: null, quality: 'suspended', reason: suspension } as const
        return {
          observations: cadence.isDue(at)
            ? labels.map(label => observationOf(config.id, propertyOf[label], value, input))
            : [],
          readings: [],
        }
      }
      const grid = needDecoded(input, 'grid', config.id)
      const known = labels.filter(label => grid.labels.includes(label))
      if (known.length === 0)
        throw new Error(
          `Cannot watch for smoke with analytic ${config.id} of camera ${cameraId}: model ${config.model} has neither the label smoke nor flame, only ${grid.labels.join(', ')}.`,
        )
      const region = input.closeUp?.region ?? wholeFrame
      const madeFor = `${region} ${grid.columns}x${grid.rows}`
      if (layout?.madeFor !== madeFor) layout = { madeFor, ...layOut(zonesIn(region, config.zones), grid) }
      const readings: Reading[] = []
      for (const label of known) {
        const offset = grid.labels.indexOf(label) * grid.rows * grid.columns
        const scores = grid.scores.subarray(offset, offset + grid.rows * grid.columns)
        const threshold = thresholds?.[label] ?? defaultThreshold
        const seenBy = `${input.result!.model.sha256} ${region}`
        const now = { seenBy, threshold, isAlarmed: alarmed.has(label) }
        const unusual = usual.accept(label, at, { ...grid, scores }, now)
        alarmed.delete(label)
        const minShare = config.minShare * shareAsked[label]
        const { sensitivity } = config
        const options = { threshold, leastScore: leastScore[label], leastRise: leastRise[label], sensitivity, minShare }
        for (const { zone, cells } of layout.watched) {
          const plume = zones.get(`${zone.id} ${label}`)!.accept(at, { ...grid, scores }, cells, unusual, options)
          if (plume.present) alarmed.add(label)
          const seenAt = inFrame(region, plume)
          const where = { zone: zone.id, landUse: zone.landUse, region: input.closeUp?.region ?? null }
          readings.push({ type: 'plume', at, label, ...where, ...plume, ...seenAt })
        }
        shares[label].push(mean(layout.all.map(cell => (scores[cell]! >= threshold ? 1 : 0))))
      }
      if (!cadence.isDue(at)) return { observations: [], readings }
      const { sight } = layout
      const observations = known.map(label => {
        const value = sight.quality === 'suspended' ? null : median(shares[label])
        return observationOf(config.id, propertyOf[label], { value, ...sight }, input)
      })
      shares = { smoke: [], flame: [] }
      return { observations, readings }
    },
    suspend(reason) {
      // What was seen through a trusted lens until now is dropped: k of n must be found again after it.
      if (reason !== null) startAnew()
      if (reason !== suspension) cadence.hurry()
      suspension = reason
    },
    reset: startAnew,
    state: usual.state,
  }
}

const zonesIn = (region: Box, zones: readonly Zone[]): readonly Zone[] =>
  zones.map(zone => ({ ...zone, polygon: zone.polygon.map(point => pointIn(point, region)) }))

/** Where a plume seen in a part of the frame stands in the frame. */
const inFrame = (region: Box, { box, footX }: Pick<Plume, 'box' | 'footX'>): Pick<Plume, 'box' | 'footX'> => ({
  box: box && boxOutOf(box, region),
  footX: footX === null ? null : region[0] + footX * region[2],
})

/** Which cells belong to which zone. Cells of an ignored zone (a chimney, the sky) belong to none. */
const layOut = (zones: readonly Zone[], { columns, rows }: { readonly columns: number; readonly rows: number }) => {
  const ignored = new Set(
    zones.filter(zone => zone.landUse === 'ignore').flatMap(zone => cellsInside(zone.polygon, columns, rows)),
  )
  const watched = zones.flatMap(zone => {
    if (zone.landUse === 'ignore') return []
    const inside = cellsInside(zone.polygon, columns, rows)
    const cells = (inside.length > 0 ? inside : [cellAtMiddle(zone, columns, rows)]).filter(cell => !ignored.has(cell))
    return cells.length > 0 ? [{ zone: { ...zone, landUse: zone.landUse }, cells }] : []
  })
  const covered = zones.filter(({ id, landUse }) => landUse !== 'ignore' && !watched.some(({ zone }) => zone.id === id))
  return { watched, all: [...new Set(watched.flatMap(({ cells }) => cells))], sight: sightOf(watched, covered) }
}

/** A zone of which ignored ones leave no cell is not watched: the others still are, if there are any. */
const sightOf = (watched: readonly Watched[], covered: readonly Zone[]) => {
  if (covered.length === 0) return { quality: 'good' } as const
  const reason = `ignored zones cover every cell of ${covered.map(({ id }) => id).join(', ')}`
  return { quality: watched.length > 0 ? 'uncertain' : 'suspended', reason } as const
}

/** A far, small zone may hold no cell's centre; then the cell over its middle stands for it. */
const cellAtMiddle = ({ polygon }: Zone, columns: number, rows: number): number => {
  const column = Math.floor(clamp(mean(polygon.map(([x]) => x)) * columns, 0, columns - 1))
  return Math.floor(clamp(mean(polygon.map(([, y]) => y)) * rows, 0, rows - 1)) * columns + column
}
