import { dirname } from 'node:path'
import { mkdir } from 'node:fs/promises'
import type { ModelPackage } from '@watchpost/edge/inference/model-package'
import { type Command, type Given, type Outcome, UsageError } from '../command.js'
import { readClassNames } from '../data/class-names.js'
import { mapLabels } from '../data/label-map.js'
import { describeLayout, layouts, readData, readNegatives } from '../data/read-data.js'
import { writeContactSheet } from '../eval/contact-sheet.js'
import { figuresOf, type LabelFigures, pixelIou, quotedRates } from '../eval/figures.js'
import { givesMask, isDetector, reportedLabels } from '../eval/reported-labels.js'
import { type EvalRun, type Judged, judgeAll, worstTiles } from '../eval/run-eval.js'
import { mean } from '../metrics/overlap.js'
import { loadRuntime, ownRuntime, packageHelp, packageOptions, withPackage } from '../open-package.js'
import { figure, note, table } from '../terminal.js'

export const evaluate: Command = {
  help: `Usage: npm run model -- eval PACKAGE --data DIR [--negatives DIR …] [--map …] [--worst FILE.png] [--json]

Every picture goes through the agent's own preparation, runtime and decoder, so the figures are the agent's.

  --data DIR            labelled pictures: YOLO (images/ and labels/, or text beside the pictures), COCO (a JSON file), masks
                        (images/ and masks/ by the same name, 255 is the thing), or a folder of pictures per class; also in
                        train/, val/ and test/
  --negatives DIR       further pictures that show none of the labels; repeatable
  --map LABEL=CLASS,…   which class of the data a label of the package means, by name or number (of COCO the category's id):
                        smoke=1,flame=0. Several that count as one: car+bus+truck=3+4+5. Default: equal names
  --merge-riders        rider and motorbike count as one, in what is found and in the truth, as the traffic analytic takes them: with
                        --map person+motorcycle+bicycle=motorbike a rider is found when either was
  --classes FILE        names of the data's class numbers (one per line, or YAML with "names")
  --layout NAME         ${layouts.join(', ')}: where the folder could be read in two ways
  --worst FILE.png      contact sheet of the worst pictures: truth green, model orange
  --worst-count N       how many (default 24)
${packageHelp}

AP50: boxes that overlap by half, all confidences. AUC, recall@1% and @5%: of pictures, those that show the label against those that do
not; a picture scores its highest confidence or cell, for masks the share of the picture. Recall at the lowest threshold that lets at
most so many of the others through. IoU: of all pixels or cells of the set; of detectors, the mean overlap of boxes that hit. Recall by height: of true boxes, in pixels of the
picture, at the package's thresholds and at 0.25.`,
  options: {
    ...packageOptions,
    data: { type: 'string' },
    negatives: { type: 'string', multiple: true },
    map: { type: 'string', multiple: true },
    'merge-riders': { type: 'boolean' },
    classes: { type: 'string' },
    layout: { type: 'string' },
    worst: { type: 'string' },
    'worst-count': { type: 'string' },
  },
  async run(given) {
    const [path] = given.pathArguments(1, 1, 'one package')
    const dataPath = given.path('data')
    if (dataPath === undefined) throw new UsageError('Give labelled pictures with --data DIR.')
    const count = given.number('worst-count', { fallback: 24, least: 1, most: 400 })
    return withPackage(path!, given, model => evaluateOn(model, dataPath, count, given))
  },
}

const evaluateOn = async (model: ModelPackage, dataPath: string, count: number, given: Given): Promise<Outcome> => {
  const classesFile = given.path('classes')
  const data = await readData(dataPath, {
    prefer: givesMask(model.manifest) ? 'masks' : 'boxes',
    layout: given.oneOf('layout', layouts),
    classNames: classesFile === undefined ? undefined : await readClassNames(classesFile),
  })
  const negatives = (await Promise.all(given.paths('negatives').map(readNegatives))).flat()
  const labels = reportedLabels(model.manifest)
  const { subjects, notes } = mapLabels(
    labels.map(({ name }) => name),
    data,
    given,
  )
  for (const sentence of notes) note(sentence)
  for (const [reason, times] of Object.entries(data.leftOut)) note(`left out: ${times} ${reason}.`)
  const thresholds = new Map(labels.map(({ name, threshold }) => [name, threshold]))
  const run: EvalRun = {
    subjects,
    thresholdOf: label => thresholds.get(label) ?? 0,
    mergesRiders: given.has('merge-riders'),
  }
  const session = await (await loadRuntime(ownRuntime(model.manifest))).open(model)
  const judged = await judgeAll(model, session, [...data.samples, ...negatives], run)
  const figures = subjects.map(({ name, labels }, i): readonly [string, LabelFigures] => [
    name,
    figuresOf(
      judged.map(({ judgements }) => judgements[i]!),
      { boxes: isDetector(model.manifest), threshold: Math.min(...labels.map(run.thresholdOf)) },
    ),
  ])
  const sheet = given.path('worst')
  const drawn = sheet === undefined ? 0 : await drawWorst(sheet, model, session, judged, run, count)
  await session.close()
  const iou = wholeIou(judged, isDetector(model.manifest), figures)
  const { id, version, sha256 } = model.identity
  return {
    ok: true,
    json: {
      package: { id, version, sha256 },
      data: dataPath,
      layout: data.layout,
      images: judged.length,
      negatives: negatives.length,
      labels: Object.fromEntries(figures),
      iou,
      leftOut: data.leftOut,
      notes,
      ...(sheet === undefined ? {} : { worst: { file: sheet, pictures: drawn } }),
    },
    text: [
      `${id} ${version} on ${describeLayout(data.layout, dataPath)}: ${data.samples.length} pictures${negatives.length > 0 ? ` and ${negatives.length} negatives` : ''}`,
      '',
      report(figures),
      '',
      `IoU over all labels: ${figure(iou)}`,
      ...(sheet === undefined ? [] : [`Worst pictures: ${drawn} in ${sheet}`]),
    ].join('\n'),
  }
}

const drawWorst = async (
  file: string,
  model: ModelPackage,
  session: Parameters<typeof worstTiles>[1],
  judged: readonly Judged[],
  run: EvalRun,
  count: number,
): Promise<number> => {
  const tiles = await worstTiles(model, session, judged, run, count)
  if (tiles.length === 0) {
    note(`${file} is not written: no picture has anything wrong.`)
    return 0
  }
  await mkdir(dirname(file), { recursive: true })
  const { id, version } = model.identity
  await writeContactSheet(
    file,
    `${id} ${version}: worst ${tiles.length} of ${judged.length}. Green: truth, orange: model`,
    tiles,
  )
  return tiles.length
}

const wholeIou = (
  judged: readonly Judged[],
  ofBoxes: boolean,
  figures: readonly (readonly [string, LabelFigures])[],
): number | null => {
  if (ofBoxes) return mean(figures.flatMap(([, { iou }]) => (iou === null ? [] : [iou])))
  return pixelIou(judged.flatMap(({ judgements }) => judgements))
}

const report = (figures: readonly (readonly [string, LabelFigures])[]): string => {
  const head = [
    'label',
    'shown',
    'not shown',
    'boxes',
    'AP50',
    'IoU',
    'AUC',
    ...quotedRates.map(rate => `recall@${rate * 100}%`),
  ]
  const rows = figures.map(([name, one]) => [
    name,
    String(one.shown),
    String(one.notShown),
    String(one.boxes),
    ...[one.ap50, one.iou, one.auc, ...quotedRates.map(rate => one.recallAtFpr[String(rate)])].map(value =>
      figure(value),
    ),
  ])
  const points = figures.flatMap(([name, { asReported, pr, prUnit }]) => [
    [
      name,
      prUnit,
      `${figure(asReported.confidence, 2)} (package)`,
      figure(asReported.precision),
      figure(asReported.recall),
    ],
    ...pr.map(point => ['', '', figure(point.confidence, 2), figure(point.precision), figure(point.recall)]),
  ])
  const heights = figures.flatMap(([name, { recallByHeight }]) =>
    recallByHeight.map(({ fromPx, belowPx, boxes, asReported, at025 }, i) => [
      i === 0 ? name : '',
      belowPx === null ? `from ${fromPx} px` : `${fromPx} to ${belowPx} px`,
      String(boxes),
      figure(asReported),
      figure(at025),
    ]),
  )
  return [
    table(head, rows),
    '',
    table(['label', 'of', 'from confidence', 'precision', 'recall'], points),
    ...(heights.length === 0
      ? []
      : ['', table(['label', 'height', 'boxes', 'recall (package)', 'recall (0.25)'], heights)]),
  ].join('\n')
}
