import type { View } from './view.js'

/** How the scene usually looks. Learnt slowly, so that nightfall, a flood or a new building become usual, while a push does not. */
export interface SceneReference {
  /** Null until enough frames were seen. */
  view(): View | null
  /** Usual sharpness; null until learnt. */
  sharpness(): number | null
  learn(view: View, sharpness: number, at: number): void
}

/** The first seconds make the reference; what comes then changes it with this time constant. */
const learningFrames = 5
const followsOverMs = 300_000

export const createSceneReference = (): SceneReference => {
  let edges: Float32Array | undefined
  let blocks: Float32Array | undefined
  let size = { width: 0, height: 0 }
  let sharpness = 0
  let frames = 0
  let learntAt = 0

  return {
    view: () => (frames < learningFrames || !edges || !blocks ? null : { ...size, edges, blocks }),
    sharpness: () => (frames < learningFrames ? null : sharpness),
    learn(view, newSharpness, at) {
      frames++
      const elapsedMs = Math.max(0, at - learntAt)
      learntAt = at
      // Averaging the outlines themselves lets passing cars fade and leaves what stands still.
      const weight = frames <= learningFrames ? 1 / frames : 1 - Math.exp(-elapsedMs / followsOverMs)
      size = { width: view.width, height: view.height }
      edges = blend(edges, view.edges, weight)
      blocks = blend(blocks, view.blocks, weight)
      sharpness += (newSharpness - sharpness) * weight
    },
  }
}

const blend = (old: Float32Array | undefined, fresh: Float32Array, weight: number): Float32Array =>
  old === undefined ? fresh.slice() : old.map((value, i) => value + (fresh[i]! - value) * weight)
