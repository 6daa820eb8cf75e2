import type { Observation } from '@watchpost/shared/contracts/observation'
import type { TrafficAnalytic } from '../config/agent-config.js'
import type { Analytic, AnalyticContext, AnalyticInput } from './analytic.js'
import { createCadence } from './cadence.js'
import { createLamp } from './lamp.js'
import { needDecoded, observationOf } from './observation-of.js'
import type { Reading } from './reading.js'
import { roadUsersOf } from './road-users.js'
import { createSizeByRow } from './size-by-row.js'
import { median } from './statistics.js'
import { createTracker } from './tracker.js'
import { createTrafficScene } from './traffic-scene.js'

/** Flow is what crossed the count lines in so long. */
const flowMs = 60_000

/** Detections and the lamp's pixels in; crossings, travel and presence of tracked vehicles out, with counts and flow. */
export const createTrafficAnalytic = (config: TrafficAnalytic, { cameraId }: AnalyticContext): Analytic => {
  const problem = problemOf(config)
  if (problem) throw new Error(`Cannot watch traffic with analytic ${config.id} of camera ${cameraId}: ${problem}`)
  const tracker = createTracker(config)
  const lamps = new Map(config.lamps.map(lamp => [lamp.id, createLamp(lamp)]))
  const sizes = createSizeByRow()
  const cadence = createCadence(config.observeEverySeconds)
  const countsFlow = config.lines.some(({ kind }) => kind === 'count')
  let scene: ReturnType<typeof createTrafficScene> | null = null
  let suspension: string | null = null
  let endedBefore: readonly number[] = []
  let counts: number[] = []
  let passages: number[] = []
  let watchedSince: number | null = null

  const startAnew = () => {
    endedBefore = [...endedBefore, ...tracker.endAll()]
    for (const lamp of lamps.values()) lamp.forgetChanges()
    counts = []
    passages = []
    watchedSince = null
  }
  const end = (ids: readonly number[], at: number): readonly Reading[] =>
    ids.map(trackId => {
      scene?.forget(trackId)
      return { type: 'track-ended', at, trackId }
    })
  const publish = (input: AnalyticInput): readonly Observation[] => {
    const at = input.frame.takenAt
    if (!cadence.isDue(at)) return []
    if (suspension !== null) {
      const value = { value: null, quality: 'suspended', reason: suspension } as const
      return [
        observationOf(config.id, 'vehicleCount', value, input),
        ...(countsFlow ? [observationOf(config.id, 'vehicleFlow', value, input)] : []),
      ]
    }
    const vehicles = { value: median(counts), quality: 'good' } as const
    counts = []
    const watchedMs = Math.min(flowMs, at - (watchedSince ?? at))
    const flow =
      watchedMs < flowMs
        ? ({ quality: 'uncertain', reason: 'the flow covers less than a minute' } as const)
        : ({ quality: 'good' } as const)
    const perMinute = watchedMs > 0 ? (passages.length * 60_000) / watchedMs : 0
    return [
      observationOf(config.id, 'vehicleCount', vehicles, input),
      ...(countsFlow ? [observationOf(config.id, 'vehicleFlow', { value: perMinute, ...flow }, input)] : []),
    ]
  }

  return {
    update(input) {
      const { frame } = input
      const at = frame.takenAt
      const overdue = end(endedBefore, at)
      endedBefore = []
      if (suspension !== null)
        return { observations: publish(input), readings: [...overdue, { type: 'suspended', at }] }
      const { detections } = needDecoded(input, 'detections', config.id)
      const aspect = frame.width / frame.height
      if (scene?.aspect !== aspect) scene = createTrafficScene(config, lamps, aspect, sizes.horizon)
      for (const lamp of lamps.values()) lamp.observe(frame)
      const users = roadUsersOf(detections).filter(user => !sizes.isPart(user))
      const { tracks, ended } = tracker.update(at, users)
      for (const track of tracks) sizes.learn(track.id, track)
      const seen = scene.follow(tracks, at)
      watchedSince ??= at
      counts.push(tracks.length)
      const crossed = seen.filter(reading => reading.type === 'crossing' && reading.kind === 'count').map(() => at)
      passages = [...passages, ...crossed].filter(one => one > at - flowMs)
      return {
        observations: publish(input),
        readings: [...overdue, ...seen, ...end(ended, at)],
        tracks: tracks.map(({ id, label, box }) => ({ id, label, box })),
      }
    },
    suspend(reason) {
      if (reason !== null) startAnew()
      if (reason !== suspension) cadence.hurry()
      suspension = reason
    },
    reset: startAnew,
  }
}

/** What contradicts itself in a configuration that its schema allows. */
const problemOf = ({ lines, lamps, lanes }: TrafficAnalytic): string | null => {
  const isNull = (vector: readonly number[] | undefined) => vector?.every(part => part === 0) ?? false
  for (const { id, kind, lamp, forward } of lines) {
    if (kind === 'stop-line' && !forward)
      return `stop line ${id} has no forward. Give the image vector of travel over it.`
    if (isNull(forward)) return `forward of line ${id} has no direction. Give an image vector such as [0, 1].`
    if (lamp !== undefined && !lamps.some(one => one.id === lamp))
      return `line ${id} names lamp ${lamp}, which is not among the lamps (${lamps.map(one => one.id).join(', ') || 'none'}).`
  }
  const still = lanes.find(({ direction }) => isNull(direction))
  return still ? `direction of lane ${still.id} has no direction. Give an image vector such as [0, 1].` : null
}
