import type { Analytic } from '../../../edge/analytics/analytic.js'
import { createAnalytic } from '../../../edge/analytics/create-analytic.js'
import type { Reading } from '../../../edge/analytics/reading.js'
import type { PlumeAnalytic } from '../../../edge/config/agent-config.js'
import type { Decoded } from '../../../edge/inference/inference-result.js'
import { createRule } from '../../../edge/rules/create-rule.js'
import type { RuleContext } from '../../../edge/rules/rule.js'
import { inputAt, startMs } from '../analytics/inputs.js'

export const plumeConfig: PlumeAnalytic = {
  id: 'fire',
  kind: 'smoke-flame',
  model: 'smoke-flame',
  fps: 1,
  zones: [
    {
      id: 'hill',
      polygon: [
        [0, 0],
        [0.5, 0],
        [0.5, 0.5],
        [0, 0.5],
      ],
      landUse: 'forest',
    },
    {
      id: 'rice',
      polygon: [
        [0, 0.5],
        [0.5, 0.5],
        [0.5, 1],
        [0, 1],
      ],
      landUse: 'field',
    },
    {
      id: 'houses',
      polygon: [
        [0.5, 0],
        [1, 0],
        [1, 1],
        [0.5, 1],
      ],
      landUse: 'urban',
    },
    {
      id: 'chimney',
      polygon: [
        [0.4, 0.7],
        [0.5, 0.7],
        [0.5, 1],
        [0.4, 1],
      ],
      landUse: 'ignore',
    },
  ],
  closeUp: true,
  persistence: { k: 4, n: 6 },
  minShare: 0.004,
  sensitivity: 1,
  endDwellSeconds: 60,
  observeEverySeconds: 30,
  burningMonths: [5, 6, 9, 10],
}

const columns = 40
const rows = 40

export interface Puff {
  readonly label: 'smoke' | 'flame'
  readonly x: number
  readonly y: number
  readonly radius: number
  readonly score: number
}

export const gridOf = (puffs: readonly Puff[]): Decoded => {
  const labels = ['smoke', 'flame']
  const scores = new Float32Array(labels.length * rows * columns).fill(0.05)
  for (const { label, x, y, radius, score } of puffs)
    for (let row = 0; row < rows; row++)
      for (let column = 0; column < columns; column++)
        if (Math.hypot((column + 0.5) / columns - x, (row + 0.5) / rows - y) <= radius)
          scores[(labels.indexOf(label) * rows + row) * columns + column] = score
  return { kind: 'grid', labels, rows, columns, scores }
}

/** Analytic and rule in a row, one frame a second. */
export const plumeChain = (
  settings: Partial<PlumeAnalytic> = {},
  context: Partial<RuleContext> = {},
  from = startMs,
) => {
  const config = { ...plumeConfig, ...settings }
  const analytic: Analytic = createAnalytic(config, { cameraId: 'bach-ma-1' })
  const rule = createRule(config, { cameraId: 'bach-ma-1', ...context })
  let second = 0
  const step = (puffs: readonly Puff[]) => {
    const at = from + 1000 * second++
    const { readings, observations } = analytic.update(inputAt(at, gridOf(puffs)))
    return { readings: readings as readonly Reading[], observations, events: rule.evaluate(readings, at) }
  }
  const run = (seconds: number, puffs: (second: number) => readonly Puff[]) =>
    Array.from({ length: seconds }, (_, index) => step(puffs(index))).flatMap(({ events }) => events)
  return { analytic, rule, step, run }
}
