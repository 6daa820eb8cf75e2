import type { Box } from '@watchpost/shared/contracts/primitives'
import { groupOf, type RoadUser } from './road-users.js'
import { median } from './statistics.js'

interface Sample {
  readonly trackId: number
  readonly bottom: number
  readonly height: number
}

/** A box less than this share of what usually stands at its row is a part of a road user: a helmet, an arm, a wheel. */
const partHeightShare = 0.5
/** Rows this near, in frame heights, see vehicles at about the same distance. */
const nearRows = 0.06
const minSamples = 8
const minTracks = 3
const maxSamples = 400
/** A vehicle that has come nearer by so much tells where its height would be nothing. */
const minGrowth = 1.5
const minHorizonTracks = 5
/** A track gives one sample per so much movement, so that one that stands does not outvote those that drive. */
const minStep = 0.02
/** Boxes that end here are cut by the frame. */
const frameBottom = 0.985

/**
 * How tall road users are at each row of a fixed camera's picture, learnt from the tracks it has seen. A detector that
 * finds a rider's helmet instead of the rider puts a vehicle metres ahead of where it is, and over a stop line.
 */
export const createSizeByRow = () => {
  const samples = { fourWheels: [] as Sample[], twoWheels: [] as Sample[] }
  let horizon: number | null = null
  return {
    learn(trackId: number, { label, box }: { readonly label: RoadUser['label']; readonly box: Box }): void {
      const known = samples[groupOf[label]]
      const sample = { trackId, bottom: box[1] + box[3], height: box[3] }
      const last = known.findLast(one => one.trackId === trackId)
      if (sample.bottom > frameBottom || (last && Math.abs(last.bottom - sample.bottom) < minStep)) return
      known.push(sample)
      if (known.length > maxSamples) known.shift()
      horizon = horizonOf([...samples.fourWheels, ...samples.twoWheels])
    },
    /** Row at which road users would have no height left, in frame heights: the horizon. Null as long as too few came near or drove away. */
    horizon: (): number | null => horizon,
    /** False as long as too little was seen at that row. */
    isPart({ label, box }: { readonly label: RoadUser['label']; readonly box: Box }): boolean {
      const bottom = box[1] + box[3]
      if (bottom > frameBottom) return false
      const near = samples[groupOf[label]].filter(one => Math.abs(one.bottom - bottom) < nearRows)
      if (near.length < minSamples || new Set(near.map(({ trackId }) => trackId)).size < minTracks) return false
      return box[3] < partHeightShare * median(near.map(({ height }) => height))
    },
  }
}

/** Heights grow evenly with the distance from the horizon; each track tells where it is, whatever the height of its vehicle. */
const horizonOf = (samples: readonly Sample[]): number | null => {
  const ends = new Map<number, { far: Sample; near: Sample }>()
  for (const sample of samples) {
    const { far, near } = ends.get(sample.trackId) ?? { far: sample, near: sample }
    ends.set(sample.trackId, {
      far: sample.bottom < far.bottom ? sample : far,
      near: sample.bottom > near.bottom ? sample : near,
    })
  }
  const rows = [...ends.values()].flatMap(({ far, near }) => {
    if (near.height < minGrowth * far.height) return []
    return [(far.bottom * near.height - near.bottom * far.height) / (near.height - far.height)]
  })
  return rows.length < minHorizonTracks ? null : median(rows)
}
