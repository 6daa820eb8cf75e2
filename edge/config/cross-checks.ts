import { type ConfigError, showGiven } from '@watchpost/shared/config/config-error'
import { didYouMean } from '@watchpost/shared/config/did-you-mean'
import type {
  AgentConfig,
  AnalyticConfig,
  CameraConfig,
  FloodAnalytic,
  PlumeAnalytic,
  TrafficAnalytic,
} from './agent-config.js'

/**
 * What a schema cannot say: names that must exist, orders, combinations. Sections that already failed the schema are
 * passed over, so that their errors are not repeated in other words.
 */
export const crossCheck = (config: AgentConfig, failed: readonly ConfigError[]): readonly ConfigError[] => {
  const isSound = (path: string) =>
    !failed.some(error => error.path === path || error.path.startsWith(`${path}.`) || error.path.startsWith(`${path}[`))
  const modelIds = listOf(config.models).map(model => String(model?.id))
  return [
    ...duplicates(config.models, 'models'),
    ...duplicates(config.cameras, 'cameras'),
    ...(config.requireSignatures === true && listOf(config.trustedKeys).length === 0 ? [nobodyTrusted] : []),
    ...listOf(config.cameras).flatMap((camera, index) => checkCamera(camera, `cameras[${index}]`, modelIds, isSound)),
  ]
}

const nobodyTrusted: ConfigError = {
  path: 'requireSignatures',
  message: 'is true but trustedKeys is empty, so every model package would be refused',
  hint: 'Put the public key into trustedKeys ("npm run model -- keygen" makes a pair), or set it to false.',
}

type IsSound = (path: string) => boolean

/** A list that failed the schema may be anything. */
const listOf = <T>(value: readonly T[] | undefined): readonly T[] => (Array.isArray(value) ? value : [])

const duplicates = (items: readonly { readonly id: string }[] | undefined, path: string): readonly ConfigError[] => {
  const ids = listOf(items).map(item => item?.id)
  return ids.flatMap((id, index) => {
    const first = ids.indexOf(id)
    if (id === undefined || first === index) return []
    const hint = 'Every entry of this list needs an id of its own.'
    return [
      { path: `${path}[${index}].id`, message: `is already used by ${path}[${first}]`, given: showGiven(id), hint },
    ]
  })
}

const checkCamera = (camera: CameraConfig, path: string, models: readonly string[], isSound: IsSound) => [
  ...duplicates(camera?.analytics, `${path}.analytics`),
  ...listOf(camera?.analytics).flatMap((analytic, index) => {
    const here = `${path}.analytics[${index}]`
    return isSound(here) ? checkAnalytic(analytic, here, models) : []
  }),
]

const checkAnalytic = (analytic: AnalyticConfig, path: string, models: readonly string[]): readonly ConfigError[] => [
  ...named(analytic.model, models, `${path}.model`, 'model', 'models'),
  ...(analytic.kind === 'flood-level' ? checkFlood(analytic, path) : []),
  ...(analytic.kind === 'smoke-flame' ? checkPlume(analytic, path) : []),
  ...(analytic.kind === 'traffic' ? checkTraffic(analytic, path) : []),
]

const named = (
  given: string,
  known: readonly string[],
  path: string,
  noun: string,
  list: string,
): readonly ConfigError[] => {
  if (known.includes(given)) return []
  const meant = didYouMean(given, known)
  const listed = known.length === 0 ? `Add it to ${list}.` : `Configured in ${list}: ${known.join(', ')}.`
  return [
    {
      path,
      message: `names a ${noun} that is not configured`,
      given: showGiven(given),
      hint: meant === undefined ? listed : `Did you mean "${meant}"?`,
    },
  ]
}

const checkFlood = (flood: FloodAnalytic, path: string): readonly ConfigError[] => [
  ...(flood.gauge || flood.roadZone
    ? []
    : [
        {
          path,
          message: 'has neither gauge nor roadZone, so there is nothing to measure',
          hint: 'Give gauge.points (level in cm) or roadZone (flooded share of a road).',
        },
      ]),
  ...ascending(
    flood.gauge?.points.map(point => point.cm),
    index => `${path}.gauge.points[${index}].cm`,
    'Gauge points go from low to high.',
  ),
  ...monotone(flood.gauge?.points, `${path}.gauge.points`),
  ...ascending(
    flood.levels.map(level => level.cm),
    index => `${path}.levels[${index}].cm`,
    'Alarm levels go from low to high.',
  ),
  ...ascending(
    flood.shareLevels.map(level => level.share),
    index => `${path}.shareLevels[${index}].share`,
    'Alarm levels go from low to high.',
  ),
  ...(flood.gauge && flood.levels.length === 0 ? [noLevels(`${path}.levels`, 'gauge')] : []),
  ...(!flood.gauge && flood.roadZone && flood.shareLevels.length === 0
    ? [noLevels(`${path}.shareLevels`, 'roadZone without a gauge')]
    : []),
  ...duplicateNames(flood.levels, `${path}.levels`),
  ...duplicateNames(flood.shareLevels, `${path}.shareLevels`),
]

const noLevels = (path: string, measure: string): ConfigError => ({
  path,
  message: `is empty, so the ${measure} could never raise an event`,
  hint: 'Give at least one alarm level with name and severity.',
})

const duplicateNames = (levels: readonly { readonly name: string }[], path: string): readonly ConfigError[] =>
  duplicates(
    levels.map(level => ({ id: level.name })),
    path,
  ).map(error => ({ ...error, path: error.path.replace(/id$/, 'name'), hint: 'Every level needs a name of its own.' }))

const ascending = (
  values: readonly number[] | undefined,
  pathOf: (index: number) => string,
  hint: string,
): readonly ConfigError[] =>
  (values ?? []).flatMap((value, index) => {
    const before = values?.[index - 1]
    if (before === undefined || value > before) return []
    return [
      { path: pathOf(index), message: `is not above the one before it (${before})`, given: showGiven(value), hint },
    ]
  })

/** A gauge read in a picture runs one way: a point out of line is a typing error that would bend every reading. */
const monotone = (
  points: readonly { readonly x: number; readonly y: number }[] | undefined,
  path: string,
): readonly ConfigError[] => {
  const runsOneWay = (values: readonly number[]) =>
    values.every((value, index) => index === 0 || value < values[index - 1]!) ||
    values.every((value, index) => index === 0 || value > values[index - 1]!)
  if (!points || runsOneWay(points.map(point => point.y)) || runsOneWay(points.map(point => point.x))) return []
  return [
    {
      path,
      message: 'turn back on themselves',
      given: showGiven(points.map(point => [point.x, point.y])),
      hint: 'From each point to the next, y must keep falling (water rising up a staff); look for a swapped or mistyped point.',
    },
  ]
}

const checkPlume = ({ zones, persistence }: PlumeAnalytic, path: string): readonly ConfigError[] => [
  ...duplicates(zones, `${path}.zones`),
  ...(zones.every(({ landUse }) => landUse === 'ignore')
    ? [
        {
          path: `${path}.zones`,
          message: 'are all ignored, so nothing could ever be told',
          given: showGiven(zones.map(({ id, landUse }) => `${id}: ${landUse}`)),
          hint: 'Give at least one zone with landUse forest, field or urban.',
        },
      ]
    : []),
  ...(persistence.k > persistence.n
    ? [
        {
          path: `${path}.persistence.k`,
          message: `is more than n (${persistence.n}), so nothing could ever persist`,
          given: showGiven(persistence.k),
          hint: 'k of the last n frames: k is at most n.',
        },
      ]
    : []),
]

const checkTraffic = (traffic: TrafficAnalytic, path: string): readonly ConfigError[] => [
  ...duplicates(traffic.lamps, `${path}.lamps`),
  ...duplicates(traffic.lines, `${path}.lines`),
  ...duplicates(traffic.lanes, `${path}.lanes`),
  ...duplicates(traffic.zones, `${path}.zones`),
  ...traffic.lines.flatMap((line, index) => checkLine(line, `${path}.lines[${index}]`, traffic)),
  ...traffic.lanes.flatMap((lane, index) => pointsSomewhere(lane.direction, `${path}.lanes[${index}].direction`)),
  ...traffic.lamps.flatMap((lamp, index) =>
    traffic.lines.some(line => line.lamp === lamp.id)
      ? []
      : [
          {
            path: `${path}.lamps[${index}]`,
            message: `"${lamp.id}" is not used by any line`,
            hint: `Name it in the stop line it governs (lamp: ${lamp.id}), or remove it.`,
          },
        ],
  ),
]

const checkLine = (
  line: TrafficAnalytic['lines'][number],
  path: string,
  traffic: TrafficAnalytic,
): readonly ConfigError[] => [
  ...(line.forward === undefined ? needsForward(line, path) : pointsSomewhere(line.forward, `${path}.forward`)),
  ...(line.lamp === undefined
    ? []
    : named(
        line.lamp,
        traffic.lamps.map(lamp => lamp.id),
        `${path}.lamp`,
        'lamp',
        'lamps of this analytic',
      )),
  ...(line.kind === 'stop-line' && line.lamp === undefined
    ? [
        {
          path: `${path}.lamp`,
          message: 'is missing: a stop line without a lamp can never be crossed at red',
          hint: 'Name the lamp that governs it, or use kind: count.',
        },
      ]
    : []),
]

const needsForward = ({ kind }: TrafficAnalytic['lines'][number], path: string): readonly ConfigError[] =>
  kind === 'solid-line'
    ? []
    : [
        {
          path: `${path}.forward`,
          message: `is missing: a ${kind} counts travel in one direction`,
          hint: 'Give the image vector of permitted travel, e.g. [0, -1] for upwards.',
        },
      ]

const pointsSomewhere = (vector: readonly [number, number], path: string): readonly ConfigError[] =>
  Math.hypot(...vector) > 0
    ? []
    : [
        {
          path,
          message: 'has no direction',
          given: showGiven(vector),
          hint: 'An image vector, e.g. [0, -1] for upwards.',
        },
      ]
