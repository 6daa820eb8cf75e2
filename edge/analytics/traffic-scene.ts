import type { TrafficAnalytic } from '../config/agent-config.js'
import { insideFrame, insidePolygon, middleOf, type PlanePoint, toPlane } from './geometry.js'
import { groundOf, type ToGround } from './ground-plane.js'
import { groundPoint } from './ground-point.js'
import type { Lamp } from './lamp.js'
import { createLaneTravel } from './lane-travel.js'
import type { Reading } from './reading.js'
import { createStopLine } from './stop-line.js'
import type { Track } from './tracker.js'
import { createTripwire } from './tripwire.js'
import { createZonePresence } from './zone-presence.js'

type Line = TrafficAnalytic['lines'][number]

/** How far beyond a line, in box heights, a vehicle's middle is clear of it. */
const clearShare = 0.08

interface Watcher {
  follow(track: Track, at: number): readonly Reading[]
  forget(trackId: number): void
}

/**
 * What a track does at every line, lane and zone of a configuration, in the frame plane of one aspect ratio.
 * @param horizon row of the horizon as far as it is known by now, see `groundOf`.
 */
export const createTrafficScene = (
  config: TrafficAnalytic,
  lamps: ReadonlyMap<string, Lamp>,
  aspect: number,
  horizon: () => number | null,
) => {
  const toGround = () => groundOf(horizon(), aspect)
  const watchers: readonly Watcher[] = [
    ...config.lines.map(line => watchLine(line, line.lamp ? lamps.get(line.lamp)! : null, aspect)),
    ...config.lanes.map(lane => watchLane(lane, aspect, toGround)),
    ...config.zones.map(zone => watchZone(zone, aspect)),
  ]
  return {
    aspect,
    follow: (tracks: readonly Track[], at: number): readonly Reading[] =>
      tracks.flatMap(track => [
        ...watchers.flatMap(watcher => crossedBefore(watcher, track, at)),
        ...watchers.flatMap(watcher => watcher.follow(track, at)),
      ]),
    forget(trackId: number): void {
      for (const watcher of watchers) watcher.forget(trackId)
    },
  }
}

/**
 * What a track crossed before it was confirmed: near the camera a fast motorbike is over the line by then. It is told now, so
 * its box is that of the frame it is told with.
 */
const crossedBefore = (watcher: Watcher, track: Track, at: number): readonly Reading[] =>
  track.past
    .flatMap(({ at: pastAt, box }) => watcher.follow({ ...track, box }, pastAt))
    .filter(({ type }) => type === 'crossing')
    .map(reading => ({ ...reading, at, box: insideFrame(track.box) }))

const factsOf = ({ id, label, confidence, box }: Track, at: number) => ({
  at,
  trackId: id,
  label,
  confidence,
  box: insideFrame(box),
})

const watchLine = (line: Line, lamp: Lamp | null, aspect: number): Watcher => {
  const points = line.points.map(point => toPlane(point, aspect))
  // Without a direction of its own a line is crossed forward from its right to its left.
  const forward = line.forward ? toPlane(line.forward, aspect) : leftOf(points)
  const facts = (track: Track, at: number) => ({
    ...factsOf(track, at),
    type: 'crossing' as const,
    line: line.id,
    kind: line.kind,
  })
  if (line.kind === 'stop-line') {
    const stopLine = createStopLine(points, forward, lamp ? ms => lamp.at(ms) : null)
    return {
      follow(track, at) {
        const crossing = stopLine.follow(track, at, aspect)
        return crossing ? [{ ...facts(track, at), ...crossing }] : []
      },
      forget: id => stopLine.forget(id),
    }
  }
  const wire = createTripwire(points)
  return {
    follow(track, at) {
      const passage = wire.follow(track.id, { at, point: groundPoint(track, aspect) }, clearShare * track.box[3])
      if (!passage) return []
      const isForward = passage.motion[0] * forward[0] + passage.motion[1] * forward[1] > 0
      return [{ ...facts(track, at), direction: isForward ? 'forward' : 'backward', lamp: null }]
    },
    forget: id => wire.forget(id),
  }
}

const leftOf = (points: readonly PlanePoint[]): PlanePoint => {
  const [from, to] = [points[0]!, points.at(-1)!]
  return [to[1] - from[1], from[0] - to[0]]
}

const watchLane = (lane: TrafficAnalytic['lanes'][number], aspect: number, toGround: () => ToGround): Watcher => {
  const middle = toPlane(middleOf(lane.polygon), aspect)
  const travel = createLaneTravel({ middle, direction: toPlane(lane.direction, aspect) }, toGround)
  return {
    follow(track, at) {
      const point = groundPoint(track, aspect)
      if (!insidePolygon([point[0] / aspect, point[1]], lane.polygon)) {
        travel.forget(track.id)
        return []
      }
      const leg = travel.follow(track.id, { at, point }, track.box[3])
      return leg ? [{ ...factsOf(track, at), type: 'travel', lane: lane.id, ...leg }] : []
    },
    forget: id => travel.forget(id),
  }
}

const watchZone = (zone: TrafficAnalytic['zones'][number], aspect: number): Watcher => {
  const presence = createZonePresence()
  return {
    follow(track, at) {
      const point = groundPoint(track, aspect)
      const foot: [number, number] = [point[0] / aspect, point[1]]
      if (!insidePolygon(foot, zone.polygon)) return []
      const visit = presence.follow(track.id, { at, point }, track.box[3])
      return [{ ...factsOf(track, at), type: 'presence', zone: zone.id, kind: zone.kind, foot, ...visit }]
    },
    forget: id => presence.forget(id),
  }
}
