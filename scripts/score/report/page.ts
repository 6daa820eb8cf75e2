import type { Result } from '../result.js'
import type { SeenIncident } from '../run-records.js'
import type { SceneScore } from '../score-scene.js'
import { levelChart } from './level-chart.js'
import { esc, figure } from './markup.js'
import { confusionTable, holdsTable, scenesTable, trafficTable } from './tables.js'
import { timeline } from './timeline.js'
import type { Moment } from './worst-moments.js'

export interface Picture extends Moment {
  /** A data URI; null when it could not be cut. */
  readonly image: string | null
}

export interface PageContent {
  readonly result: Result
  readonly scores: readonly SceneScore[]
  readonly incidents: readonly SeenIncident[]
  readonly pictures: ReadonlyMap<string, readonly Picture[]>
  readonly css: string
}

/** The report as one HTML file that needs nothing else. */
export const page = ({ result, scores, incidents, pictures, css }: PageContent): string => `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Watchpost: score of the whole chain</title><style>${css}</style></head><body><main>
<header><h1>From camera to incident: the score</h1>
<p>Scenes with known truth, played as live cameras through agents, broker and central: ${scores.length}. ${esc(playedText(result))}</p></header>
<section><h2>What it is to reach</h2>${holdsTable(result)}${droppedNote(result)}</section>
${tiles(result)}
<section><h2>Scenes</h2>${scenesTable(scores)}</section>
${Object.keys(result.fire.confusion).length > 0 ? `<section><h2>What smoke was taken for</h2>${confusionTable(result)}</section>` : ''}
${scores.some(({ violations }) => violations) ? `<section><h2>Violations</h2>${trafficTable(result)}</section>` : ''}
${scores.map(score => sceneSection(score, incidents, pictures.get(score.run.truth.scene) ?? [])).join('\n')}
<footer><p>Models: ${result.models.map(({ id, version }) => `${esc(id)} ${esc(version ?? '?')}`).join(', ')}. Null or “–” means: not measured.</p></footer>
</main></body></html>
`

const playedText = ({ exposureCameraDays, falseIncidents }: Result): string => {
  const minutes = ((exposureCameraDays ?? 0) * 1440).toFixed(1)
  const { count, upper95PerCameraDay } = falseIncidents.all
  return `False incidents in ${minutes} camera minutes: ${count}; with 95 % certainty at most ${figure(upper95PerCameraDay, 0)} per camera and day, a bound that only longer play can lower.`
}

/** Above this share of dropped frames the figures tell more about the machine than about the software. */
const manyDropped = 0.03

const droppedNote = ({ droppedShare }: Result): string =>
  droppedShare !== null && droppedShare > manyDropped
    ? `<p class="warning">This machine was too slow for ${(droppedShare * 100).toFixed(0)} % of the frames; they were dropped. Figures for traffic would be better on a quiet one.</p>`
    : ''

/** Only what was measured. */
const tiles = ({ flood, fire, traffic, duplicatesPerHappening, falseIncidents, incidents }: Result): string => {
  const level = flood.rmseCmDay ?? flood.rmseCmNight
  const tile = (name: string, value: string, note: string): string =>
    value === '–'
      ? ''
      : `<div class="tile"><h3>${name}</h3><p class="value">${value}</p><p class="note">${note}</p></div>`
  return `<section class="tiles">
${tile('Flood level', figure(level, 1, 'cm'), `RMSE ${flood.rmseCmDay === null ? 'at night and in rain' : `by day; night and rain ${figure(flood.rmseCmNight, 1, 'cm')}`}; bias ${figure(flood.biasCm, 1, 'cm')}`)}
${tile('Fire and burning', figure(fire.secondsToDetect, 0, 's'), `slowest of ${fire.fires} after 1 % smoke, ${fire.missed} missed; right kind ${figure(fire.kindAccuracy, 2)}; bearings meet within ${figure(fire.bearingErrorM, 0, 'm')}`)}
${tile('Traffic', figure(traffic.precision, 2), `precision; recall ${figure(traffic.recall, 2)}; IDF1 ${figure(traffic.idf1, 2)}, HOTA ${figure(traffic.hota, 2)}`)}
${tile('Incidents', String(incidents), `${falseIncidents.all.count} of them false; ${figure(duplicatesPerHappening, 2)} duplicates per real happening`)}
</section>`
}

const sceneSection = (score: SceneScore, incidents: readonly SeenIncident[], pictures: readonly Picture[]): string => {
  const { run, flood } = score
  const { truth } = run
  const facts = [
    truth.family,
    truth.light,
    ...truth.weather,
    `${run.playedS.toFixed(0)} s played`,
    truth.use === 'score' ? 'kept for scoring' : 'developed on',
  ]
  return `<section class="scene" id="${esc(truth.scene)}"><h2>${esc(truth.scene)}</h2><p class="facts">${facts.map(esc).join(' · ')}</p>
${flood ? levelChart(run) : ''}
${timeline(score, incidents)}
${pictures.length > 0 ? `<div class="pictures">${pictures.map(picture => pictureOf(picture, truth.scene)).join('')}</div>` : ''}
</section>`
}

const pictureOf = ({ image, t, says, truth, told, marks }: Picture, scene: string): string => {
  const drawn = marks.map(mark =>
    mark.kind === 'box'
      ? `<rect class="${mark.of}" x="${mark.box[0]}" y="${mark.box[1]}" width="${mark.box[2]}" height="${mark.box[3]}"/>`
      : `<line class="${mark.of}" x1="${mark.x - 0.09}" x2="${mark.x + 0.09}" y1="${mark.y}" y2="${mark.y}"/>`,
  )
  const shot = image
    ? `<div class="shot"><img src="${image}" alt="${esc(scene)} at ${t.toFixed(1)} s"><svg viewBox="0 0 1 1" preserveAspectRatio="none" aria-hidden="true">${drawn.join('')}</svg></div>`
    : '<div class="shot none">no picture</div>'
  return `<figure>${shot}<figcaption><b>${esc(says)}</b> at ${t.toFixed(1)} s<br><span class="of-truth">truth: ${esc(truth)}</span><br><span class="of-told">told: ${esc(told)}</span></figcaption></figure>`
}
