import type { Disagreement } from '@watchpost/shared/contracts/shadow-report'

export interface WorstFrames {
  /** Whether a picture of it is worth making: worse than what is held, and neither too soon nor too often. */
  wants(candidate: Pick<Disagreement, 'cameraId' | 'score'>, atMs: number): boolean
  add(disagreement: Disagreement): void
  list(): Disagreement[]
}

const mostHeld = 12
/** One camera with a bad view must not hide the others. */
const mostOfCamera = 4
const leastScore = 0.2
/** Pictures of one camera lie so far apart: the same parked car is one finding. */
const apartMs = 10_000
/** In all of one run: each goes over the uplink. */
const mostPictures = 60

/** The frames two models differ about most, a bounded number of them. */
export const createWorstFrames = (): WorstFrames => {
  const lastAt = new Map<string, number>()
  let held: Disagreement[] = []
  let pictures = 0
  const ofCamera = (cameraId: string) => held.filter(one => one.cameraId === cameraId)
  return {
    wants({ cameraId, score }, atMs) {
      if (score < leastScore || pictures >= mostPictures) return false
      if (atMs - (lastAt.get(cameraId) ?? Number.NEGATIVE_INFINITY) < apartMs) return false
      const rivals =
        ofCamera(cameraId).length >= mostOfCamera ? ofCamera(cameraId) : held.length >= mostHeld ? held : []
      if (rivals.length > 0 && rivals.every(one => one.score >= score)) return false
      lastAt.set(cameraId, atMs)
      pictures++
      return true
    },
    add(disagreement) {
      held = [...held, disagreement].toSorted((a, b) => b.score - a.score)
      const own = ofCamera(disagreement.cameraId)
      const surplus = own.length > mostOfCamera ? own.at(-1) : held.length > mostHeld ? held.at(-1) : undefined
      held = held.filter(one => one !== surplus)
    },
    list: () => [...held],
  }
}
