import { blindSpans } from '../metrics/flood.js'
import type { SceneRun } from '../run-records.js'
import { axis } from './axis.js'
import { esc } from './markup.js'

const width = 860
const height = 240
/** As in the timeline below it, so that seconds stand under each other. */
const left = 170
const right = 840
const top = 10
const bottom = 212
/** A reading stands until the next, but no longer. */
const maxHoldS = 10

/** Level against truth: the truth as a line, each reading as a point, suspended and uncertain times as shades. */
export const levelChart = ({ truth, levels, playedS }: SceneRun): string => {
  const water = truth.frames.filter(({ waterCm, t }) => typeof waterCm === 'number' && t <= playedS)
  const values = [...water.map(({ waterCm }) => waterCm!), ...levels.flatMap(({ cm }) => cm ?? [])]
  const [low, high] = [Math.min(0, ...values) - 3, Math.max(20, ...values) + 5]
  const x = axis(0, playedS, left, right)
  const y = axis(low, high, bottom, top)
  const seen = levels.filter(({ t }) => t >= 0 && t <= playedS)
  const shades = seen.flatMap(({ t, quality }, index) => {
    if (quality === 'good') return []
    const until = Math.min(seen[index + 1]?.t ?? playedS, t + maxHoldS)
    return [band(x.at(t), x.at(until), quality)]
  })
  const blind = blindSpans(truth, playedS).map(({ from, until }) => band(x.at(from), x.at(until), 'blind'))
  const line = water.map(({ t, waterCm }) => `${x.at(t)},${y.at(waterCm!)}`).join(' ')
  const alarms = (truth.levels ?? [])
    .filter(({ cm }) => cm > low && cm < high)
    .map(
      ({ cm, name }) =>
        `<line class="alarm" x1="${left}" x2="${right}" y1="${y.at(cm)}" y2="${y.at(cm)}"/><text class="alarm-name" x="${left - 30}" y="${y.at(cm) + 4}" text-anchor="end">${esc(name)}</text>`,
    )
  const points = seen.flatMap(({ t, cm, quality }) =>
    cm === null
      ? []
      : [
          `<circle class="reading ${quality}" cx="${x.at(t)}" cy="${y.at(cm)}" r="2.6"><title>${t.toFixed(1)} s: ${cm.toFixed(1)} cm, ${quality}</title></circle>`,
        ],
  )
  return `<svg class="chart" viewBox="0 0 ${width} ${height}" role="img" aria-label="Water level of ${esc(truth.scene)}: truth and readings">
${blind.join('')}${shades.join('')}
${y.ticks.map(cm => `<line class="grid" x1="${left}" x2="${right}" y1="${y.at(cm)}" y2="${y.at(cm)}"/><text x="${left - 6}" y="${y.at(cm) + 4}" text-anchor="end">${cm}</text>`).join('')}
${x.ticks.map(t => `<text x="${x.at(t)}" y="${height - 8}" text-anchor="middle">${t} s</text>`).join('')}
${alarms.join('')}<polyline class="truth" points="${line}"/>${points.join('')}
<text x="${left + 4}" y="${top + 10}">cm</text></svg>
<p class="legend"><span class="key truth"></span>truth <span class="key good"></span>good reading <span class="key uncertain"></span>uncertain <span class="key suspended"></span>suspended <span class="key blind"></span>lens covered or camera moved</p>`
}

const band = (from: number, until: number, kind: string): string =>
  `<rect class="band ${kind}" x="${from}" y="${top}" width="${Math.max(1, until - from).toFixed(1)}" height="${bottom - top}"/>`
