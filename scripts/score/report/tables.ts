import { type ConfusionEntry, fireKinds } from '../metrics/fire.js'
import type { Result } from '../result.js'
import type { SceneScore } from '../score-scene.js'
import { esc, figure, table } from './markup.js'

const words = new Map<boolean | null, string>([
  [true, 'reached'],
  [false, 'missed'],
  [null, 'not shown'],
])
const classOf = new Map<boolean | null, string>([
  [true, 'good'],
  [false, 'bad'],
  [null, 'open'],
])

export const holdsTable = ({ holds }: Result): string =>
  table(
    ['Hold', 'Target', 'This run', ''],
    holds.map(({ text, target, value, unit, reached }) => {
      const suffix = unit === '1' ? '' : ` ${unit}`
      const badge = `<span class="badge ${classOf.get(reached)}">${words.get(reached)}</span>`
      return [esc(text), `${target}${esc(suffix)}`, value === null ? '–' : `${value}${esc(suffix)}`, badge]
    }),
  )

export const trafficTable = ({ traffic }: Result): string =>
  table(
    ['Violation', 'Found', 'Missed', 'Invented', 'Precision', 'Recall'],
    [...Object.entries(traffic.byViolation), ['day', traffic.day] as const, ['dusk and night', traffic.night] as const]
      .filter(([, { found, missed, invented }]) => found + missed + invented > 0)
      .map(([name, { found, missed, invented, precision, recall }]) => [
        esc(name),
        String(found),
        String(missed),
        String(invented),
        figure(precision, 2),
        figure(recall, 2),
      ]),
  )

/** Rows: what was there. Columns: what it was told to be. */
export const confusionTable = ({ fire }: Result): string => {
  const columns: readonly ConfusionEntry['told'][] = [...fireKinds, 'none']
  return table(
    ['There was', ...columns.map(name => esc(name === 'none' ? 'told: none' : `told: ${name}`))],
    Object.entries(fire.confusion).map(([truth, told]) => [
      esc(truth),
      ...columns.map(name => {
        const count = told[name] ?? 0
        const right = name === ((fireKinds as readonly string[]).includes(truth) ? truth : 'none')
        return count === 0 ? '<span class="zero">0</span>' : `<b class="${right ? 'right' : 'wrong'}">${count}</b>`
      }),
    ]),
  )
}

/** One line per scene: what it is, how it was played, and its main figures. */
export const scenesTable = (scores: readonly SceneScore[]): string =>
  table(
    [
      'Scene',
      'Light',
      'Played',
      'Frames dropped',
      'Level RMSE',
      'Bias',
      'Delay',
      'Fires',
      'Violations',
      'IDF1',
      'HOTA',
    ],
    scores.map(({ run: { truth, playedS, frames }, flood, fire, violations, tracks }) => {
      const dropped = Object.values(frames.dropped).reduce((sum, count) => sum + count, 0)
      const asked = violations && violations.found.length + violations.missed.length
      return [
        `<a href="#${esc(truth.scene)}">${esc(truth.scene)}</a>`,
        esc([truth.light, ...truth.weather].join(', ')),
        `${playedS.toFixed(0)} s`,
        `${((dropped / Math.max(1, frames.due)) * 100).toFixed(0)} %`,
        figure(flood?.rmseCm, 1, 'cm'),
        figure(flood?.biasCm, 1, 'cm'),
        figure(flood?.lagS, 1, 's'),
        fire ? `${fire.detections.filter(({ isCensored }) => !isCensored).length} of ${fire.detections.length}` : '–',
        violations ? `${violations.found.length} of ${asked}, ${violations.invented.length} invented` : '–',
        figure(tracks?.idf1, 2),
        figure(tracks?.hota, 2),
      ]
    }),
  )
