import type { Polygon, Quality } from '@watchpost/shared/contracts/primitives'
import type { ScoreMask } from './gauge.js'
import { cellsInside } from './geometry.js'
import { median } from './statistics.js'

export interface FloodedShare {
  readonly share: number | null
  readonly quality: Quality
  readonly reason?: string
  readonly confidence: number
}

const warmUpReadings = 3
/** When more of the zone than this is left out, the rest says little about it. */
const mostLeftOut = 0.5

/** Share of a road zone that a mask calls water, as the running median of the last N frames. */
export const createFloodedShare = (zone: Polygon, { readings }: { readings: number }) => {
  let cells: { readonly size: string; readonly indices: readonly number[] } = { size: '', indices: [] }
  let window: number[] = []

  return {
    /** `isLeftOut`: pixels that say nothing about water (`dry-look.ts`); the share is that of the others. */
    accept(mask: ScoreMask, threshold: number, isLeftOut: ((pixel: number) => boolean) | null = null): FloodedShare {
      const size = `${mask.width}x${mask.height}`
      if (cells.size !== size) cells = { size, indices: cellsInside(zone, mask.width, mask.height) }
      if (cells.indices.length === 0)
        return {
          share: null,
          quality: 'suspended',
          reason: 'the road zone is smaller than one mask pixel',
          confidence: 0,
        }
      const seen = isLeftOut ? cells.indices.filter(index => !isLeftOut(index)) : cells.indices
      if (seen.length === 0)
        return {
          share: null,
          quality: 'suspended',
          reason: 'the whole road zone looks like water when it is dry: draw it anew, or a gauge',
          confidence: 0,
        }
      let wet = 0
      let decided = 0
      for (const index of seen) {
        const score = mask.scores[index]!
        if (score >= threshold) wet++
        decided += Math.abs(score - 0.5) * 2
      }
      window = [...window, wet / seen.length].slice(-readings)
      const doubt =
        window.length < Math.min(warmUpReadings, readings)
          ? 'the first readings are being taken'
          : 1 - seen.length / cells.indices.length > mostLeftOut
            ? 'most of the road zone looks like water when it is dry'
            : null
      return {
        share: median(window),
        quality: doubt === null ? 'good' : 'uncertain',
        ...(doubt === null ? {} : { reason: doubt }),
        confidence: decided / seen.length,
      }
    },
    clear(): void {
      window = []
    },
  }
}
