import type { Truth, TruthVehicle } from '../truth.js'
import { bestPairs } from './best-pairs.js'
import { type IdBox, iouOf, type TrackFrame } from './track-frames.js'

/** What the tracker said of one frame; `t` in seconds of the scene. */
export interface FoundFrame {
  readonly t: number
  readonly tracks: readonly IdBox[]
}

interface TrueBox extends IdBox {
  /** Nobody must find it, and who finds it does no wrong. */
  readonly isIgnored: boolean
}

/** Below these a vehicle is not asked for: mostly hidden, or too small for anybody's detector. */
const minVisible = 0.3
const minHeightPx = 12
const minIou = 0.5
/** A found box that lies within a vehicle that is not asked for by this share is taken for it. */
const ignoredShare = 0.5

/** Puts true and found vehicles of each analysed frame together, classes aside, and takes out what is not asked for. */
export const trackFramesOf = (truth: Truth, found: readonly FoundFrame[]): readonly TrackFrame[] =>
  found
    .filter(({ t }) => t >= 0 && t <= truth.durationS)
    .map(frame => withoutIgnored(trueBoxesAt(truth, frame.t), frame.tracks))

const withoutIgnored = (all: readonly TrueBox[], tracks: readonly IdBox[]): TrackFrame => {
  const gain = (row: number, column: number) => {
    const iou = iouOf(all[row]!.box, tracks[column]!.box)
    // One that is asked for comes first, so that a hidden one beside it cannot take its track away.
    return iou < minIou ? 0 : iou + (all[row]!.isIgnored ? 0 : 1)
  }
  const partnerOf = new Map(bestPairs(all.length, tracks.length, gain).map(([row, column]) => [column, all[row]!]))
  const ignored = all.filter(({ isIgnored }) => isIgnored)
  return {
    truth: all.filter(({ isIgnored }) => !isIgnored).map(({ id, box }) => ({ id, box })),
    found: tracks.filter((track, column) => {
      const partner = partnerOf.get(column)
      if (partner) return !partner.isIgnored
      return !ignored.some(one => shareWithin(track, one) >= ignoredShare)
    }),
  }
}

/** True boxes between two frames lie between them: the agent's frames are not the renderer's. */
const trueBoxesAt = ({ frames, height }: Truth, t: number): readonly TrueBox[] => {
  const next = frames.findIndex(frame => frame.t >= t)
  const after = next < 0 ? frames.at(-1) : frames[next]
  const before = next > 0 ? frames[next - 1]! : after
  if (!after || !before) return []
  const share = after.t === before.t ? 0 : Math.min(1, (t - before.t) / (after.t - before.t))
  const later = new Map((after.vehicles ?? []).map(vehicle => [vehicle.trackId, vehicle]))
  return (before.vehicles ?? []).flatMap(vehicle => {
    const then = later.get(vehicle.trackId)
    if (!then) return share < 0.5 ? [asTrueBox(vehicle, vehicle.box, height)] : []
    const box = vehicle.box.map((value, index) => value + (then.box[index]! - value) * share)
    return [asTrueBox(vehicle, box as TruthVehicle['box'], height)]
  })
}

const asTrueBox = (
  { trackId, class: label, visible }: TruthVehicle,
  box: TruthVehicle['box'],
  heightPx: number,
): TrueBox => ({
  id: trackId,
  box,
  isIgnored: label === 'person' || (visible ?? 1) < minVisible || box[3] * heightPx < minHeightPx,
})

const shareWithin = ({ box: part }: IdBox, { box: whole }: IdBox): number => {
  const width = Math.min(part[0] + part[2], whole[0] + whole[2]) - Math.max(part[0], whole[0])
  const height = Math.min(part[1] + part[3], whole[1] + whole[3]) - Math.max(part[1], whole[1])
  return width <= 0 || height <= 0 ? 0 : (width * height) / (part[2] * part[3])
}
