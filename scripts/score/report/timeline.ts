import type { SceneRun, SeenIncident } from '../run-records.js'
import type { SceneScore } from '../score-scene.js'
import { floodsOf } from '../score-scene.js'
import { axis } from './axis.js'
import { esc } from './markup.js'

const width = 860
const left = 170
const right = 840
const rowHeight = 20

interface Mark {
  readonly from: number
  readonly until: number
  readonly kind: 'real' | 'alike' | 'condition' | 'hit' | 'false' | 'incident'
  readonly title: string
}

interface Row {
  readonly label: string
  readonly marks: readonly Mark[]
}

/** What was true above what was told, second by second. Empty for a scene in which neither is anything. */
export const timeline = ({ run, realOf }: SceneScore, incidents: readonly SeenIncident[]): string => {
  const rows = [...trueRows(run), ...toldRows(run, realOf, incidents)].filter(({ marks }) => marks.length > 0)
  if (rows.length === 0) return '<p class="nothing">Nothing happened, and nothing was told.</p>'
  const height = rows.length * rowHeight + 24
  const x = axis(0, run.playedS, left, right)
  const inside = (t: number) => Math.min(Math.max(t, 0), run.playedS)
  const drawn = rows.map(({ label, marks }, index) => {
    const y = index * rowHeight
    const bars = marks.map(({ from, until, kind, title }) => {
      const start = x.at(inside(from))
      const length = Math.max(4, x.at(inside(until)) - start)
      return `<rect class="mark ${kind}" x="${start}" y="${y + 4}" width="${length.toFixed(1)}" height="${rowHeight - 8}" rx="2"><title>${esc(title)}</title></rect>`
    })
    return `<text x="${left - 8}" y="${y + 14}" text-anchor="end">${esc(label)}</text>${bars.join('')}`
  })
  return `<svg class="timeline" viewBox="0 0 ${width} ${height}" role="img" aria-label="Timeline of ${esc(run.truth.scene)}">
${x.ticks.map(t => `<line class="grid" x1="${x.at(t)}" x2="${x.at(t)}" y1="0" y2="${height - 20}"/><text x="${x.at(t)}" y="${height - 6}" text-anchor="middle">${t} s</text>`).join('')}
${drawn.join('\n')}</svg>`
}

const span = (from: number, until: number): string => `${from.toFixed(1)}–${until.toFixed(1)} s`

const trueRows = ({ truth }: SceneRun): readonly Row[] => {
  const kinds = [...new Set(truth.happenings.map(({ kind }) => kind))].filter(kind => kind !== 'flood-level')
  const floods = floodsOf(truth)
  return [
    {
      label: 'true flood',
      marks: floods.map(({ from, until }) => ({
        from,
        until,
        kind: 'real' as const,
        title: `flood, ${span(from, until)}`,
      })),
    },
    ...kinds.map(kind => ({
      label: `true ${kind}`,
      marks: truth.happenings
        .filter(one => one.kind === kind)
        .map(({ id, from, until }) => ({ from, until, kind: 'real' as const, title: `${id}, ${span(from, until)}` })),
    })),
    {
      label: 'look-alikes',
      marks: truth.lookAlikes.map(({ kind, from, until }) => ({
        from,
        until,
        kind: 'alike',
        title: `${kind}, ${span(from, until)}`,
      })),
    },
    {
      label: 'conditions',
      marks: truth.conditions.map(({ kind, from, until }) => ({
        from,
        until,
        kind: 'condition',
        title: `${kind}, ${span(from, until)}`,
      })),
    },
  ]
}

const toldRows = (
  { truth, events, playedS }: SceneRun,
  realOf: ReadonlyMap<string, string>,
  incidents: readonly SeenIncident[],
): readonly Row[] => {
  const began = events.filter(({ phase }) => phase === 'began')
  const kinds = [...new Set(began.map(({ kind }) => kind))]
  const ends = new Map(events.filter(({ phase }) => phase === 'ended').map(({ happeningId, t }) => [happeningId, t]))
  const own = incidents.filter(({ happenings }) => happenings.some(({ scene }) => scene === truth.scene))
  return [
    ...kinds.map(kind => ({
      label: `told ${kind}`,
      marks: began
        .filter(event => event.kind === kind)
        .map(({ happeningId, t, level }) => {
          const until = ends.get(happeningId) ?? playedS
          const real = realOf.get(happeningId)
          const what = real ? `is ${real}` : 'is nothing real'
          return {
            from: t,
            until,
            kind: real ? ('hit' as const) : ('false' as const),
            title: `${level ?? kind}, ${span(t, until)}: ${what}`,
          }
        }),
    })),
    {
      label: 'incidents raised',
      marks: own.map(({ kind, raisedT }) => ({
        from: raisedT,
        until: raisedT,
        kind: 'incident',
        title: `${kind}, raised at ${raisedT.toFixed(1)} s`,
      })),
    },
  ]
}
