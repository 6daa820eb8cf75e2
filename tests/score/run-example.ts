import type { LevelReading, SceneRun, SeenEvent, SeenIncident } from '../../scripts/score/run-records.js'
import type { Truth } from '../../scripts/score/truth.js'

export const event = (change: Partial<SeenEvent>): SeenEvent => {
  const t = change.t ?? 10
  return {
    scene: 'example',
    happeningId: `h-${t}`,
    kind: 'red-light',
    phase: 'began',
    t,
    receivedT: t + 0.5,
    level: null,
    zone: null,
    box: null,
    bearingDeg: null,
    ...change,
  }
}

export const incident = (change: Partial<SeenIncident>): SeenIncident => ({
  id: 'i-1',
  kind: 'red-light',
  scene: 'example',
  openedT: 10,
  raisedT: 11,
  happenings: [{ scene: 'example', happeningId: 'h-10' }],
  ...change,
})

export const reading = (t: number, cm: number | null, quality: LevelReading['quality'] = 'good'): LevelReading => ({
  t,
  cm,
  quality,
})

export const runOf = (truth: Truth, change: Partial<SceneRun> = {}): SceneRun => ({
  truth,
  playedS: truth.durationS,
  heldS: 0,
  levels: [],
  events: [],
  frames: { due: 100, dropped: {} },
  reconnects: 0,
  ...change,
})
