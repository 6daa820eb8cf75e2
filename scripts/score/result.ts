import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { modelOf, settings, type Task, tasksOf } from './analytics-of.js'
import { holdsOf } from './holds.js'
import type { SeenIncident } from './run-records.js'
import { sceneView } from './scene-view.js'
import type { SceneScore } from './score-scene.js'
import { scoreAllIncidents, summarise } from './summary.js'

export interface ResultOptions {
  readonly root: string
  readonly maxSeconds: number | undefined
}

/** The JSON of a run: figures, holds, scenes, and what they were measured with. Nothing in it depends on paths or ports. */
export const resultOf = (
  scores: readonly SceneScore[],
  incidents: readonly SeenIncident[],
  { root, maxSeconds }: ResultOptions,
) => {
  const summary = summarise(scores, incidents)
  const due = scores.reduce((sum, { run }) => sum + run.frames.due, 0)
  const dropped = scores.flatMap(({ run }) => Object.values(run.frames.dropped)).reduce((sum, count) => sum + count, 0)
  return {
    schemaVersion: 1,
    ...summary,
    holds: holdsOf(summary),
    /** Frames the machine was too slow for; above a few percent the traffic figures are about the machine. */
    droppedShare: due === 0 ? null : Number((dropped / due).toFixed(3)),
    falseIncidentList: scoreAllIncidents(scores, incidents).falseOnes.map(({ scene, kind, openedT }) => ({
      scene,
      kind,
      t: Number(openedT.toFixed(1)),
    })),
    scenes: scores.map(sceneView),
    settings: { maxSeconds: maxSeconds ?? null, speed: 1, analytics: settings },
    models: modelVersions(scores, root),
  }
}

export type Result = ReturnType<typeof resultOf>

const modelVersions = (scores: readonly SceneScore[], root: string) => {
  const tasks = new Set<Task>(scores.flatMap(({ run }) => tasksOf(run.truth)))
  return [...tasks].map(task => {
    const file = join(root, 'models', modelOf[task], 'manifest.json')
    if (!existsSync(file)) return { id: modelOf[task], version: null, sha256: null }
    const { id, version, weights } = JSON.parse(readFileSync(file, 'utf8')) as Manifest
    return { id, version, sha256: weights?.sha256 ?? null }
  })
}

interface Manifest {
  readonly id: string
  readonly version: string
  readonly weights?: { readonly sha256?: string }
}
