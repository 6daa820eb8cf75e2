import type { ModelPackage } from '@watchpost/edge/inference/model-package'
import type { ModelSession } from '@watchpost/edge/inference/model-runtime'
import type { Picture } from '@watchpost/edge/inference/open-model'
import type { Sample } from '../data/data-set.js'
import type { Subject } from '../data/label-map.js'
import { readMask } from '../data/masks.js'
import { createRun, type RunPicture, readUpright } from '../run-picture.js'
import { createProgress } from '../terminal.js'
import type { Tile } from './contact-sheet.js'
import { type Judgement, judge } from './judge.js'
import { withWholeCurve } from './reported-labels.js'

export interface Judged {
  readonly sample: Sample
  /** One per subject. */
  readonly judgements: readonly Judgement[]
}

/** Pictures that are decoded while the model works: its thread would otherwise wait for every one of them. */
const readAhead = 4

export interface EvalRun {
  readonly subjects: readonly Subject[]
  readonly thresholdOf: (label: string) => number
  readonly mergesRiders: boolean
}

/** Runs every picture through the agent's own preparation, runtime and decoder and compares the answer with the truth. */
export const judgeAll = async (
  model: ModelPackage,
  session: ModelSession,
  samples: readonly Sample[],
  { subjects, ...how }: EvalRun,
): Promise<readonly Judged[]> => {
  const run = createRun({ ...model, manifest: withWholeCurve(model.manifest) }, session)
  const progress = createProgress('eval', samples.length)
  const judged: Judged[] = []
  for await (const { sample, pictureHeight, answer } of answers(samples, run)) {
    const mask = sample.maskPath === undefined ? undefined : await readMask(sample.maskPath)
    const judgements = subjects.map(subject => judge(answer.decoded, sample, mask, { subject, pictureHeight, ...how }))
    // Nothing of the picture is kept: a set may be larger than the memory.
    judged.push({ sample, judgements })
    progress.step()
  }
  progress.end()
  return judged
}

async function* answers(samples: readonly Sample[], run: RunPicture) {
  const waiting: Promise<Picture>[] = []
  let next = 0
  const fetchNext = (): void => {
    const sample = samples[next++]
    if (!sample) return
    const reading = readUpright(sample.path)
    // It is awaited in its turn; until then a failure must not count as unhandled.
    reading.catch(() => {})
    waiting.push(reading)
  }
  for (let i = 0; i < readAhead; i++) fetchNext()
  for (const sample of samples) {
    const picture = await waiting.shift()!
    fetchNext()
    yield { sample, pictureHeight: picture.height, answer: await run(picture) }
  }
}

/** The worst pictures of a set, judged again to be drawn. */
export const worstTiles = async (
  model: ModelPackage,
  session: ModelSession,
  judged: readonly Judged[],
  { subjects, thresholdOf }: EvalRun,
  count: number,
): Promise<readonly Tile[]> => {
  const worst = judged
    .map(({ sample, judgements }) => {
      const at = judgements.reduce((most, { error }, i) => (error > judgements[most]!.error ? i : most), 0)
      return { sample, subject: subjects[at]!, judgement: judgements[at]! }
    })
    .filter(({ judgement }) => judgement.error > 0)
    .toSorted((a, b) => b.judgement.error - a.judgement.error)
    .slice(0, count)
  const run = createRun({ ...model, manifest: withWholeCurve(model.manifest) }, session)
  const tiles: Tile[] = []
  for (const { sample, subject, judgement } of worst) {
    const picture = await readUpright(sample.path)
    tiles.push({
      path: sample.path,
      caption: `${subject.name}: ${judgement.words}`,
      picture,
      decoded: (await run(picture)).decoded,
      truth: sample.boxes
        .filter(({ className, crowd }) => subject.classes.has(className) && !crowd)
        .map(({ box }) => box),
      mask: sample.maskPath === undefined ? undefined : await readMask(sample.maskPath),
      labels: subject.labels,
      thresholdOf,
    })
  }
  return tiles
}
