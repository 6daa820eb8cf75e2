import type { Observation, ObservedProperty } from '@watchpost/shared/contracts/observation'
import type { ImagePoint } from '@watchpost/shared/contracts/primitives'
import type { FloodAnalytic } from '../config/agent-config.js'
import type { Analytic, AnalyticContext, AnalyticInput } from './analytic.js'
import { createCadence } from './cadence.js'
import { closeUpOf, pointIn, wholeFrame } from './close-up.js'
import { createDryLook } from './dry-look.js'
import { createFloodedShare, type FloodedShare } from './flooded-share.js'
import { createGauge, type Gauge } from './gauge.js'
import { createLevelFilter, type FilteredLevel, suspended } from './level-filter.js'
import { needDecoded, observationOf } from './observation-of.js'
import type { Reading } from './reading.js'
import { sightLevel } from './sight-level.js'
import { createTrend } from './statistics.js'

const msPerHour = 3_600_000
/** The rate of rise looks back so far, at one level per bucket; younger than the least span there is no rate yet. */
const rateWindow = { windowMs: 15 * 60_000, bucketMs: 10_000 }
const minRateSpanMs = 60_000
/** With a centimetre of noise a rate over less than this is a rough figure, and says so. */
const goodRateSpanMs = 5 * 60_000
const defaultThreshold = 0.5
/** Nearer than this the model was hardly trained. */
const mostZoom = 2

interface Measured {
  readonly level: FilteredLevel | null
  readonly share: FloodedShare | null
}

/** Water mask in; level in cm on the virtual gauge, its rate, and the flooded share of the road zone out. */
export const createFloodAnalytic = (
  config: FloodAnalytic,
  { cameraId, thresholds, modelInput, restored }: AnalyticContext,
): Analytic => {
  if (!config.gauge && !config.roadZone)
    throw new Error(
      `Cannot measure a flood with analytic ${config.id} of camera ${cameraId}: it has neither a gauge nor a roadZone. Draw one of them.`,
    )
  const filter = createLevelFilter(config)
  const road = config.roadZone ? createFloodedShare(config.roadZone, config) : null
  const dryLook = config.roadZone ? createDryLook(config.roadZone, { days: config.dryLookDays, restored }) : null
  const trend = createTrend(rateWindow)
  const cadence = createCadence(config.observeEverySeconds)
  let gauge: { readonly seenIn: string; readonly of: Gauge } | null = null
  let suspension: string | null = null
  let lastQualities = ''

  // The trend outlives a reconnect and a covered lens: the water went on rising meanwhile, and old levels age out of it.
  const startAnew = () => {
    filter.clear()
    road?.clear()
  }
  /** The gauge as it lies in what the model saw of it. */
  const gaugeIn = ({ frame, closeUp }: AnalyticInput): Gauge => {
    const region = closeUp?.region ?? wholeFrame
    const [, , width, height] = region
    const aspect = (frame.width * width) / (frame.height * height)
    const seenIn = `${region} ${aspect}`
    if (gauge?.seenIn === seenIn) return gauge.of
    const { points, halfWidth } = config.gauge!
    const within = points.map(point => {
      const [x, y] = pointIn([point.x, point.y], region)
      return { ...point, x, y }
    })
    gauge = { seenIn, of: createGauge({ points: within, halfWidth: halfWidth / width }, aspect) }
    return gauge.of
  }
  const measure = (input: AnalyticInput): Measured => {
    const { frame, result, closeUp } = input
    const mask = needDecoded(input, 'mask', config.id)
    const near = closeUp ? needDecoded({ frame, result: closeUp.result }, 'mask', config.id) : mask
    const [at, threshold] = [frame.takenAt, thresholds?.[mask.label] ?? defaultThreshold]
    return {
      level: config.gauge ? filter.accept(sightLevel(gaugeIn(input), near, threshold, at)) : null,
      share: road?.accept(mask, threshold, dryLook?.accept(at, mask, threshold, result!.model.sha256)) ?? null,
    }
  }
  const withoutSight = (reason: string): Measured => ({
    level: config.gauge ? suspended(reason) : null,
    share: road ? { share: null, quality: 'suspended', reason, confidence: 0 } : null,
  })
  const rateOf = (level: FilteredLevel | null, at: number): number | null => {
    if (!level) return null
    if (level.quality === 'good') trend.add({ at, value: level.levelCm! })
    const slope = level.quality === 'suspended' || trend.spanMs() < minRateSpanMs ? null : trend.slope()
    return slope === null ? null : slope * msPerHour
  }
  const publish = ({ level, share }: Measured, rate: number | null, input: AnalyticInput): readonly Observation[] => {
    const qualities = `${level?.quality} ${share?.quality}`
    // A reading that is no longer to be trusted, or again is, does not wait for its slot.
    if (qualities !== lastQualities && /suspended/.test(qualities + lastQualities)) cadence.hurry()
    lastQualities = qualities
    if (!cadence.isDue(input.frame.takenAt)) return []
    const observe = (property: ObservedProperty, value: Parameters<typeof observationOf>[2]) =>
      observationOf(config.id, property, value, input)
    const young = trend.spanMs() < goodRateSpanMs
    return [
      ...(level ? [observe('floodLevel', { ...level, value: level.levelCm })] : []),
      ...(level && rate !== null
        ? [
            observe('floodRate', {
              value: rate,
              quality: young ? 'uncertain' : level.quality,
              ...(young
                ? { reason: 'the rate covers less than five minutes' }
                : level.reason
                  ? { reason: level.reason }
                  : {}),
            }),
          ]
        : []),
      ...(share ? [observe('floodShare', { ...share, value: share.share })] : []),
    ]
  }

  return {
    closeUp(frame) {
      // Nothing is read while the picture cannot be trusted: one look is enough.
      if (suspension !== null) return null
      const { gauge: staff, closeUp } = config
      if (!staff || !closeUp || !modelInput) return null
      const marks = staff.points.map(({ x, y }): ImagePoint => [x, y])
      const region = closeUpOf(marks, frame, modelInput, mostZoom)
      return region && { region, withWhole: road !== null }
    },
    update(input) {
      const at = input.frame.takenAt
      const measured = suspension === null ? measure(input) : withoutSight(suspension)
      const rate = rateOf(measured.level, at)
      return { observations: publish(measured, rate, input), readings: readingsOf(measured, rate, at) }
    },
    suspend(reason) {
      if (reason !== null) startAnew()
      suspension = reason
    },
    reset: startAnew,
    ...(dryLook ? { state: dryLook.state } : {}),
  }
}

const readingsOf = ({ level, share }: Measured, rateCmPerHour: number | null, at: number): readonly Reading[] => [
  ...(level ? [{ type: 'level', at, rateCmPerHour, ...level } as const] : []),
  ...(share ? [{ type: 'flooded-share', at, ...share } as const] : []),
]
