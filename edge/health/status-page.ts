import type { AgentSnapshot } from './agent-snapshot.js'
import { problemsOf } from './problems.js'
import { conditionWord, type Language, words } from './status-words.js'

const refreshSeconds = 10

/** The page a technician opens on the gateway itself: no script, no outside resource, readable on a phone. */
export const renderStatusPage = (snapshot: AgentSnapshot, language: Language): string => {
  const w = words[language]
  const problems = problemsOf(snapshot)
  const time = (ms: number) =>
    new Intl.DateTimeFormat(language === 'vi' ? 'vi-VN' : 'en-GB', { dateStyle: 'short', timeStyle: 'medium' }).format(
      ms,
    )
  return `<!doctype html>
<html lang="${language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="${refreshSeconds}"><title>${escapeHtml(snapshot.agentId)} · Watchpost</title><style>${style}</style></head><body>
<header><h1>${w.agent} ${escapeHtml(snapshot.agentId)}</h1>
<p>${escapeHtml(snapshot.siteId)} · ${escapeHtml(snapshot.version)} · ${w.running} ${time(snapshot.startedAt)} · ${time(snapshot.at)}</p></header>
<main><section class="${problems.length === 0 ? 'good' : 'bad'}"><h2>${problems.length === 0 ? w.allWell : w.attention}</h2>
${problems.map(({ subject, message, hint }) => `<p><b>${escapeHtml(subject)}</b> ${escapeHtml(message)}<br><small>${escapeHtml(hint)}</small></p>`).join('\n')}</section>
<table><caption>${w.cameras}</caption><thead><tr><th>${w.camera}</th><th>${w.condition}</th><th>fps</th><th>${w.lastFrame}</th><th>${w.inference}</th><th>${w.dropped}</th></tr></thead><tbody>
${snapshot.cameras.map(camera => cameraRow(camera, language)).join('\n')}
</tbody></table>
<dl>
<dt>${w.uplink}</dt><dd>${snapshot.uplink.isConnected ? w.connected : w.disconnected}</dd>
<dt>${w.waiting}</dt><dd>${snapshot.outbox.size}${snapshot.outbox.oldestAgeMs === null ? '' : ` (${w.oldest}: ${age(snapshot.outbox.oldestAgeMs)})`}</dd>
<dt>${w.delivered}</dt><dd>${snapshot.outbox.acked}</dd>
<dt>${w.refused}</dt><dd>${snapshot.outbox.deadLetters}</dd>
<dt>${w.thinned}</dt><dd>${snapshot.outbox.thinned}</dd>
<dt>${w.pictures}</dt><dd>${snapshot.evidence.pending} (${Math.round(snapshot.evidence.bytes / 1e6)} MB)</dd>
</dl></main></body></html>
`
}

const cameraRow = (camera: AgentSnapshot['cameras'][number], language: Language): string => {
  const dropped = Object.values(camera.dropped).reduce((sum, count) => sum + count, 0)
  const tone = camera.condition === 'ok' ? 'good' : camera.condition === 'starting' ? '' : 'bad'
  return `<tr><th scope="row">${escapeHtml(camera.name)}<br><small>${escapeHtml(camera.cameraId)}</small></th><td class="${tone}">${escapeHtml(conditionWord(camera.condition, language))}</td><td>${camera.fps.toFixed(1)}</td><td>${age(camera.lastFrameAgeMs)}</td><td>${camera.inferenceMs === null ? '–' : `${Math.round(camera.inferenceMs)} ms`}</td><td>${dropped}</td></tr>`
}

const age = (ms: number | null): string => {
  if (ms === null) return '–'
  const seconds = Math.round(ms / 1000)
  if (seconds < 120) return `${seconds} s`
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}
const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, character => entities[character]!)

const style = `:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}body{max-width:60rem;margin:0 auto;padding:1rem}
h1{font-size:1.4rem;margin:0}h2{font-size:1rem;margin:0}header p{margin:.2rem 0 1rem;opacity:.75}
section{border-left:.4rem solid #2e7d32;padding:.6rem 1rem;margin-bottom:1rem;background:#8881}section.bad{border-color:#c62828}section p{margin:.5rem 0 0}
table{border-collapse:collapse;width:100%;margin-bottom:1rem}caption{text-align:left;font-weight:600;padding:.3rem 0}th,td{text-align:left;padding:.4rem .6rem;border-bottom:1px solid #8884;vertical-align:top}
td.good{color:#2e7d32}td.bad{color:#c62828;font-weight:600}dl{display:grid;grid-template-columns:max-content 1fr;gap:.3rem 1.5rem}dt{opacity:.75}dd{margin:0}
@media (max-width:40rem){table,tbody,tr,td,th{font-size:.9rem}th,td{padding:.3rem}}`
