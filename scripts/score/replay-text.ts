import { isFireKind } from './metrics/fire.js'
import type { SceneScore } from './score-scene.js'

/** One line per task of a scene of what a replay can tell: levels, fires, violations. Incidents are central's, so there are none. */
export const replayText = ({ run, flood, fire, violations }: SceneScore): string => {
  const line = (text: string): string => `${run.truth.scene.padEnd(20)} ${text}`
  return [
    ...(flood ? [line(`level RMSE ${cm(flood.rmseCm)}, bias ${cm(flood.biasCm)}, ${flood.readings} readings`)] : []),
    ...(fire ? [line(fireText(run.events.filter(isFireBegun), fire))] : []),
    ...(violations
      ? [
          line(
            `violations: ${violations.found.length} found, ${violations.missed.length} missed, ${violations.invented.length} invented`,
          ),
        ]
      : []),
  ].join('\n')
}

type Events = SceneScore['run']['events']
const isFireBegun = ({ kind, phase }: Events[number]): boolean => phase === 'began' && isFireKind(kind)

const fireText = (told: Events, { detections, matched }: NonNullable<SceneScore['fire']>): string => {
  const fires = detections.map(({ happening, kind, fromOnePercentS, isCensored }) =>
    isCensored ? `${happening.id} missed` : `${happening.id} told as ${kind}${whenText(fromOnePercentS)}`,
  )
  const wrong = told
    .filter(({ happeningId }) => !matched.has(happeningId))
    .map(({ kind, t }) => `FALSE ${kind} at ${t.toFixed(0)} s`)
  return [...fires, ...wrong].join(', ') || 'nothing told'
}

const whenText = (fromOnePercentS: number | null): string =>
  fromOnePercentS === null
    ? ''
    : ` ${Math.abs(fromOnePercentS).toFixed(0)} s ${fromOnePercentS < 0 ? 'before' : 'after'} 1 %`

const cm = (value: number | null): string => (value === null ? '-' : `${value.toFixed(2)} cm`)
