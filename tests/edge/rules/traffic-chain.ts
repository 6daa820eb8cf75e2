import type { Analytic, FollowedVehicle } from '../../../edge/analytics/analytic.js'
import { createAnalytic } from '../../../edge/analytics/create-analytic.js'
import type { Reading } from '../../../edge/analytics/reading.js'
import type { TrafficAnalytic } from '../../../edge/config/agent-config.js'
import { createRule } from '../../../edge/rules/create-rule.js'
import type { EventDraft, RuleContext } from '../../../edge/rules/rule.js'
import { startMs } from '../analytics/inputs.js'
import {
  type Actor,
  type Bulb,
  detectionsOf,
  frameTimes,
  type Imperfection,
  lampBoxes,
  streetInput,
} from '../analytics/street.js'

/** Left half: towards the camera, over a stop line at y 0.6. Right half: away from it. A solid line between them. */
export const trafficConfig: TrafficAnalytic = {
  id: 'traffic',
  kind: 'traffic',
  model: 'vehicles',
  fps: 8,
  minConfidence: 0.3,
  lamps: [{ id: 'signal', red: [...lampBoxes.red], amber: [...lampBoxes.amber], green: [...lampBoxes.green] }],
  lines: [
    {
      id: 'stop',
      kind: 'stop-line',
      points: [
        [0.08, 0.6],
        [0.49, 0.6],
      ],
      lamp: 'signal',
      forward: [0, 1],
    },
    {
      id: 'stop-away',
      kind: 'stop-line',
      points: [
        [0.52, 0.5],
        [0.75, 0.5],
      ],
      lamp: 'signal',
      forward: [0, -1],
    },
    {
      id: 'middle',
      kind: 'solid-line',
      points: [
        [0.5, 0.1],
        [0.5, 0.95],
      ],
    },
    {
      id: 'count',
      kind: 'count',
      points: [
        [0, 0.8],
        [1, 0.8],
      ],
      forward: [0, 1],
    },
  ],
  lanes: [
    {
      id: 'towards',
      polygon: [
        [0.08, 0.1],
        [0.49, 0.1],
        [0.49, 0.95],
        [0.08, 0.95],
      ],
      direction: [0, 1],
    },
    {
      id: 'away',
      polygon: [
        [0.51, 0.1],
        [0.76, 0.1],
        [0.76, 0.95],
        [0.51, 0.95],
      ],
      direction: [0, -1],
    },
  ],
  zones: [
    {
      id: 'pavement',
      kind: 'no-entry',
      polygon: [
        [0.78, 0.4],
        [0.88, 0.4],
        [0.88, 0.9],
        [0.78, 0.9],
      ],
      seconds: 0,
    },
    {
      id: 'bus-stop',
      kind: 'no-stopping',
      polygon: [
        [0.88, 0.3],
        [1, 0.3],
        [1, 0.95],
        [0.88, 0.95],
      ],
      seconds: 10,
    },
  ],
  redGraceSeconds: 0.5,
  observeEverySeconds: 10,
}

export type Signal = (second: number) => Bulb | null

/** Analytic and rule in a row, over one simulated street. */
export const trafficChain = (settings: Partial<TrafficAnalytic> = {}, context: Partial<RuleContext> = {}) => {
  const config = { ...trafficConfig, ...settings }
  const analytic: Analytic = createAnalytic(config, { cameraId: 'nga-sau-1' })
  const rule = createRule(config, { cameraId: 'nga-sau-1', ...context })
  const step = (second: number, actors: readonly Actor[], signal: Signal, flaws?: Imperfection) => {
    const input = streetInput(second, detectionsOf(actors, second, flaws), signal(second))
    const { readings, observations, tracks = [] } = analytic.update(input)
    return { readings, observations, tracks, events: rule.evaluate(readings, input.frame.takenAt) }
  }
  const run = (
    seconds: number,
    actors: readonly Actor[],
    signal: Signal = () => 'green',
    flaws?: Imperfection,
    from = 0,
  ) => {
    const steps = frameTimes(seconds).map(second => step(from + second, actors, signal, flaws))
    return {
      events: steps.flatMap(({ events }): readonly EventDraft[] => events),
      readings: steps.flatMap(({ readings }): readonly Reading[] => readings),
      observations: steps.flatMap(({ observations }) => observations),
      /** Vehicles followed, per frame. */
      tracks: steps.map(({ tracks }): readonly FollowedVehicle[] => tracks),
    }
  }
  return { analytic, rule, run }
}

/** Second of the run at which an event was raised. */
export const secondOf = (event: EventDraft): number => (Date.parse(event.phenomenonTime) - startMs) / 1000

type Knot = readonly [second: number, x: number, y: number]
/** Drives straight from knot to knot, and is not there before the first and after the last. */
export const drive =
  (...knots: readonly Knot[]): Actor['at'] =>
  second => {
    const next = knots.findIndex(([at]) => at > second)
    if (next < 1) return null
    const [a, b] = [knots[next - 1]!, knots[next]!]
    const share = (second - a[0]) / (b[0] - a[0])
    return [a[1] + (b[1] - a[1]) * share, a[2] + (b[2] - a[2]) * share]
  }
