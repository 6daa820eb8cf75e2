import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Result } from '../result.js'
import type { SeenIncident } from '../run-records.js'
import type { Scene } from '../scenes.js'
import type { SceneScore } from '../score-scene.js'
import { cutFrame } from './cut-frame.js'
import { type Picture, page } from './page.js'
import { worstMoments } from './worst-moments.js'

export interface ReportContent {
  /** Folder that takes report.html. */
  readonly out: string
  readonly scenes: readonly Scene[]
  readonly scores: readonly SceneScore[]
  readonly incidents: readonly SeenIncident[]
  readonly result: Result
}

/** Colours, type and spaces are those of the console. */
const root = fileURLToPath(new URL('../../../..', import.meta.url))
const styles = [
  'central/console/src/design/tokens.css',
  'central/console/src/design/base.css',
  'scripts/score/report/report.css',
]

/** Writes report.html and returns its path. A picture that cannot be cut is left out of it and said so in its place. */
export const writeReport = async ({ out, scenes, ...content }: ReportContent): Promise<string> => {
  const pictures = new Map<string, readonly Picture[]>()
  for (const score of content.scores) {
    const { scene } = score.run.truth
    const clip = scenes.find(({ name }) => name === scene)!.clip
    const shots: Picture[] = []
    for (const moment of worstMoments(score))
      shots.push({ ...moment, image: await cutFrame(clip, moment.t).catch(() => null) })
    pictures.set(scene, shots)
  }
  const css = styles.map(file => readFileSync(join(root, file), 'utf8')).join('\n')
  const file = join(out, 'report.html')
  writeFileSync(file, page({ ...content, pictures, css }))
  return file
}
