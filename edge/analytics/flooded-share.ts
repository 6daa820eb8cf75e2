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

/** Share of a road zone that a mask calls water, as the running median of the last N frames. */
export const createFloodedShare = (zone: Polygon, { readings }: { readings: number }) => {
  let cells: { readonly size: string; readonly indices: readonly number[] } = { size: '', indices: [] }
  let window: number[] = []

  return {
    accept(mask: ScoreMask, threshold: number): FloodedShare {
      const size = `${mask.width}x${mask.height}`
      if (cells.size !== size) cells = { size, indices: cellsInside(zone, mask.width, mask.height) }
      if (cells.indices.length === 0)
        return {
          share: null,
          quality: 'suspended',
          reason: 'the road zone is smaller than one mask pixel',
          confidence: 0,
        }
      let wet = 0
      let decided = 0
      for (const index of cells.indices) {
        const score = mask.scores[index]!
        if (score >= threshold) wet++
        decided += Math.abs(score - 0.5) * 2
      }
      window = [...window, wet / cells.indices.length].slice(-readings)
      const warm = window.length >= Math.min(warmUpReadings, readings)
      return {
        share: median(window),
        quality: warm ? 'good' : 'uncertain',
        ...(warm ? {} : { reason: 'the first readings are being taken' }),
        confidence: decided / cells.indices.length,
      }
    },
    clear(): void {
      window = []
    },
  }
}
