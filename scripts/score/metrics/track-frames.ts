import type { Box } from '@watchpost/shared/contracts/primitives'

export interface IdBox {
  readonly id: string
  readonly box: Box
}

/** True and found vehicles of one frame, without those nobody must find. */
export interface TrackFrame {
  readonly truth: readonly IdBox[]
  readonly found: readonly IdBox[]
}

export const iouOf = (a: Box, b: Box): number => {
  const width = Math.min(a[0] + a[2], b[0] + b[2]) - Math.max(a[0], b[0])
  const height = Math.min(a[1] + a[3], b[1] + b[3]) - Math.max(a[1], b[1])
  if (width <= 0 || height <= 0) return 0
  const both = width * height
  return both / (a[2] * a[3] + b[2] * b[3] - both)
}

export interface Overlap {
  readonly trueId: string
  readonly foundId: string
  readonly iou: number
}

export const overlapsOf = ({ truth, found }: TrackFrame): readonly Overlap[] =>
  truth.flatMap(one =>
    found.flatMap(other => {
      const iou = iouOf(one.box, other.box)
      return iou > 0 ? [{ trueId: one.id, foundId: other.id, iou }] : []
    }),
  )
