import { decoders } from '@watchpost/edge/inference/decoders/decoders'
import type { GraphDescription } from './describe-graph.js'

export const decoderNames: readonly string[] = Object.keys(decoders)

export const taskNames = ['vehicles', 'smoke-flame', 'water-segmentation', 'detection', 'classification'] as const
export type TaskName = (typeof taskNames)[number]

/** The decoder that the shapes of the outputs suggest; undefined when they fit none. */
export const guessDecoder = ({ input, outputs }: GraphDescription, labels: number): string | undefined => {
  const [first, second] = outputs.map(({ shape }) => shape)
  if (!first) return undefined
  const values = first.reduce((product, length) => product * length, 1)
  if (values === labels && first.length <= 4) return 'classification'
  const channels = first.length === 4 ? [first[1], first[3]] : []
  const sizes = second?.length === 4 ? [second[1], second[3]] : []
  if (channels.includes(labels) && sizes.includes(4)) return 'centernet'
  if (first.length === 3 && first[2] === labels + 5) return 'yolox'
  if (!channels.includes(labels)) return undefined
  const rows = first[1] === labels ? first[2]! : first[1]!
  // A mask follows edges; a grid of coarse cells does not pretend to.
  return input.height / rows <= 8 && labels <= 2 ? 'segmentation' : 'grid'
}

export const taskFor = (decoder: string): TaskName =>
  (({ mask: 'water-segmentation', grid: 'smoke-flame', classes: 'classification', detections: 'detection' }) as const)[
    decoders[decoder]!.gives
  ]
