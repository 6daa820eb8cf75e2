import type { Box } from '@watchpost/shared/contracts/primitives'
import { assign } from './assignment.js'
import { grow, iou } from './geometry.js'
import { correctMotion, type Motion, predictMotion, startMotion } from './motion.js'
import { groupOf, type RoadUser, type VehicleLabel } from './road-users.js'

/** A vehicle as of this frame. */
export interface Track {
  readonly id: number
  readonly label: VehicleLabel
  /** Mean of the detections' confidences. */
  readonly confidence: number
  /** Smoothed. */
  readonly box: Box
  /** On the frame that first tells it, where it was before, oldest first; otherwise empty. */
  readonly past: readonly { readonly at: number; readonly box: Box }[]
}

export interface TrackerOutput {
  /** Confirmed, known to be vehicles, and seen in this frame. */
  readonly tracks: readonly Track[]
  /** Told tracks that are over; their ids never return. */
  readonly ended: readonly number[]
}

interface Live {
  readonly id: number
  readonly group: (typeof groupOf)[RoadUser['label']]
  readonly votes: Map<VehicleLabel, number>
  hits: number
  /** Frames in which the vehicle itself was found, and the sum of its confidences. */
  vehicleHits: number
  vehicleSum: number
  confidenceSum: number
  misses: number
  seenAt: number
  isConfirmed: boolean
  isTold: boolean
  /** Until it is told. */
  past: { readonly at: number; readonly box: Box }[]
  /** Middle and bottom, since a rider's box that comes and goes changes the height but not where the wheels stand. */
  middle: Motion
  bottom: Motion
  width: number
  height: number
}

const confirmHits = 3
/** An unconfirmed track that is missed so often was a false detection. */
const maxTentativeMisses = 2
/** Frames in which the vehicle itself must have been found, and its mean confidence over all frames of the track. */
const minVehicleHits = 2
const minVehicleMean = 0.04
/** Frames remembered of a track that is not told yet. */
const maxPast = 64
/** A confirmed track is carried on by its motion through an occlusion of so long. */
const maxLostMs = 1500
/** Least overlap of a detection with where its track should be: clear ones, faint ones, and ones for new or fast tracks. */
const minIou = 0.2
const minFaintIou = 0.3
const minGrownIou = 0.15
/**
 * Boxes grow by this share before they are compared when overlap alone found no partner: widely for a young track, whose
 * speed is not known yet; for an old one little, and more the longer it was unseen, or any false detection near it would
 * carry it off.
 */
const reach = { young: 0.5, old: 0.1, perSecondUnseen: 0.25 }
const youngHits = 5
/** Detections down to this share of the wanted confidence carry a track on, but never begin one (ByteTrack). */
const faintShare = 1 / 3
/** Deviations relative to the size of the box, per second where it applies: what vehicles in city traffic do. */
const noise = { measurement: 0.06, startSpeed: 4, acceleration: 5 }
const sizeWeight = 0.4

/**
 * ByteTrack's idea: clear detections are paired first, then faint ones with the tracks that are still alone, so that a
 * vehicle half behind another keeps its id. Pairs by overlap with the predicted place, within a group of labels.
 */
export const createTracker = ({ minConfidence }: { minConfidence: number }) => {
  let live: Live[] = []
  let lastId = 0
  let lastAt: number | null = null

  const pair = (
    tracks: readonly Live[],
    users: readonly RoadUser[],
    least: number,
    growthOf: (track: Live) => number = () => 0,
  ) => {
    const score = (track: Live, user: RoadUser): number => {
      if (track.group !== groupOf[user.label]) return 0
      const growth = growthOf(track)
      return iou(grow(boxOf(track), growth), grow(user.box, growth))
    }
    const pairs = assign(tracks.length, users.length, (row, column) => score(tracks[row]!, users[column]!), least)
    return pairs.map(([row, column]) => [tracks[row]!, users[column]!] as const)
  }

  const begin = (user: RoadUser, at: number): Live => {
    const [x, y, width, height] = user.box
    const start = (value: number, size: number) =>
      startMotion(value, { deviation: noise.measurement * size, speedDeviation: noise.startSpeed * size })
    return {
      id: ++lastId,
      group: groupOf[user.label],
      votes: new Map(),
      hits: 0,
      vehicleHits: 0,
      vehicleSum: 0,
      confidenceSum: 0,
      misses: 0,
      seenAt: at,
      isConfirmed: false,
      isTold: false,
      past: [{ at, box: user.box }],
      middle: start(x + width / 2, width),
      bottom: start(y + height, height),
      width,
      height,
    }
  }

  return {
    update(at: number, users: readonly RoadUser[]): TrackerOutput {
      const seconds = lastAt === null ? 0 : Math.max(0, at - lastAt) / 1000
      lastAt = at
      for (const track of live) advance(track, seconds)

      const clear = users.filter(({ confidence }) => confidence >= minConfidence)
      const faint = users.filter(
        ({ confidence }) => confidence < minConfidence && confidence >= minConfidence * faintShare,
      )
      const found = new Map<Live, RoadUser>()
      const taken = new Set<RoadUser>()
      const take = (pairs: readonly (readonly [Live, RoadUser])[]) => {
        for (const [track, user] of pairs) {
          found.set(track, user)
          taken.add(user)
        }
      }
      const alone = (confirmedOnly: boolean) =>
        live.filter(track => !found.has(track) && (track.isConfirmed || !confirmedOnly))
      const free = () => clear.filter(user => !taken.has(user))
      take(pair(alone(true), clear, minIou))
      take(pair(alone(true), faint, minFaintIou))
      take(pair(alone(false), free(), minGrownIou, track => reachOf(track, at)))

      for (const [track, user] of found) correct(track, user, at)
      for (const track of live) if (!found.has(track)) track.misses++
      const isOver = (track: Live) =>
        track.isConfirmed ? at - track.seenAt > maxLostMs : track.misses >= maxTentativeMisses
      const ended = live.filter(track => isOver(track) && track.isTold).map(({ id }) => id)
      live = [...live.filter(track => !isOver(track)), ...free().map(user => count(begin(user, at), user))]
      const told = live.filter(track => track.isConfirmed && found.has(track) && isVehicle(track))
      const tracks = told.map(asTrack)
      for (const track of found.keys()) track.past = [...track.past, { at, box: boxOf(track) }].slice(-maxPast)
      for (const track of told) {
        track.isTold = true
        track.past = []
      }
      return { tracks, ended }
    },
    /** Ends every track and returns the ids of the told ones. Ids go on counting, so that none returns. */
    endAll(): readonly number[] {
      const ended = live.filter(({ isTold }) => isTold).map(({ id }) => id)
      live = []
      lastAt = null
      return ended
    },
  }
}

const advance = (track: Live, seconds: number): void => {
  track.middle = predictMotion(track.middle, seconds, noise.acceleration * track.width)
  track.bottom = predictMotion(track.bottom, seconds, noise.acceleration * track.height)
}

const correct = (track: Live, user: RoadUser, at: number): void => {
  const [x, y, width, height] = user.box
  track.middle = correctMotion(track.middle, x + width / 2, noise.measurement * width)
  track.bottom = correctMotion(track.bottom, y + height, noise.measurement * height)
  track.width += sizeWeight * (width - track.width)
  track.height += sizeWeight * (height - track.height)
  count(track, user)
  track.misses = 0
  track.seenAt = at
  track.isConfirmed ||= track.hits >= confirmHits
}

const reachOf = ({ hits, seenAt }: Live, at: number): number =>
  hits < youngHits ? reach.young : Math.min(reach.young, reach.old + (reach.perSecondUnseen * (at - seenAt)) / 1000)

const count = (track: Live, { label, confidence, vehicleConfidence }: RoadUser): Live => {
  track.hits++
  track.confidenceSum += confidence
  if (label === 'person') return track
  track.vehicleHits++
  track.vehicleSum += vehicleConfidence
  track.votes.set(label, (track.votes.get(label) ?? 0) + vehicleConfidence)
  return track
}

/**
 * A person becomes a rider when something under them was found often enough, however faintly: seen from the front a
 * motorbike hides behind its rider's legs. Who walks past a parked one is over it for a frame or two of many.
 */
const isVehicle = ({ hits, vehicleHits, vehicleSum }: Live): boolean =>
  vehicleHits >= minVehicleHits && vehicleSum / hits >= minVehicleMean

const boxOf = ({ middle, bottom, width, height }: Live): Box => [
  middle.value - width / 2,
  bottom.value - height,
  width,
  height,
]

const asTrack = (track: Live): Track => ({
  id: track.id,
  label: [...track.votes].reduce((best, vote) => (vote[1] > best[1] ? vote : best))[0],
  confidence: track.confidenceSum / track.hits,
  box: boxOf(track),
  past: track.past,
})
