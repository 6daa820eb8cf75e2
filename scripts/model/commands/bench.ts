import { join } from 'node:path'
import type { ModelPackage } from '@watchpost/edge/inference/model-package'
import { type BenchFigures, type Contestant, openContestant } from '../bench/contestant.js'
import { type Command, FailedError, type Outcome, UsageError } from '../command.js'
import { picturesUnder } from '../data/walk.js'
import { cannotOpen, packageHelp, packageOptions, withPackage } from '../open-package.js'
import { createProgress, figure, note, table } from '../terminal.js'

/** Enough to see that pictures differ; all of them are held in memory. */
const mostPictures = 16

export const bench: Command = {
  help: `Usage: npm run model -- bench PACKAGE [--rounds N] [--threads 1,2] [--images DIR] [--json]

Time and memory per picture, with 1 and 2 threads, beside bare onnxruntime-node in the same run: the same weights on a tensor that is ready. The
ratio says what the agent's preparation and decoding cost. All take turns picture by picture, each in a process of its own, so that a busy machine
slows all of them.

  --rounds N            pictures per contestant (default 100)
  --threads LIST        threads of ONNX Runtime (default 1,2); the agent takes 1
  --images DIR          pictures (default: the golden ones)
${packageHelp}`,
  options: {
    ...packageOptions,
    rounds: { type: 'string' },
    threads: { type: 'string' },
    images: { type: 'string' },
  },
  async run(given) {
    const [path] = given.pathArguments(1, 1, 'one package')
    const rounds = given.number('rounds', { fallback: 100, least: 2, most: 100_000 })
    const threads = (given.text('threads') ?? '1,2').split(',').map(Number)
    if (threads.some(count => !Number.isInteger(count) || count < 1 || count > 64))
      throw new UsageError(`--threads is "${given.text('threads')}"; give numbers from 1 to 64 with commas.`)
    const folder = given.path('images')
    return withPackage(path!, given, async model => {
      const pictures = folder
        ? (await picturesUnder(folder)).slice(0, mostPictures)
        : model.manifest.golden.map(({ image }) => join(model.dir, image))
      if (pictures.length === 0)
        throw new FailedError(
          folder
            ? `--images ${folder} holds no pictures.`
            : 'The package has no golden pictures; give some with --images DIR.',
        )
      return measure(model, rounds, threads, pictures)
    })
  },
}

const measure = async (
  model: ModelPackage,
  rounds: number,
  threads: readonly number[],
  pictures: readonly string[],
): Promise<Outcome> => {
  const noBare = cannotOpen(model, 'onnx')
  if (noBare !== undefined) note(`bare onnxruntime-node is left out: ${noBare}.`)
  const variants = noBare === undefined ? (['package', 'bare'] as const) : (['package'] as const)
  const contestants: Contestant[] = []
  try {
    for (const count of noBare === undefined ? threads : threads.slice(0, 1))
      for (const variant of variants)
        contestants.push(await openContestant({ variant, threads: count, model, pictures }))
    const progress = createProgress('bench', rounds)
    for (let round = 0; round < rounds; round++) {
      // Another one begins each time: whoever comes after an idle moment finds a colder machine.
      for (let i = 0; i < contestants.length; i++) await contestants[(round + i) % contestants.length]!.run(round)
      progress.step()
    }
    progress.end()
  } finally {
    await Promise.all(contestants.map(contestant => contestant.close()))
  }
  return outcome(model, rounds, contestants)
}

const outcome = (model: ModelPackage, rounds: number, contestants: readonly Contestant[]): Outcome => {
  const { id, version } = model.identity
  const found = contestants.map(contestant => ({ contestant, figures: contestant.figures() }))
  const of = (threads: number, variant: Contestant['variant']): BenchFigures | undefined =>
    found.find(({ contestant }) => contestant.threads === threads && contestant.variant === variant)?.figures
  const counts = [...new Set(contestants.map(({ threads }) => threads))]
  const byThreads = Object.fromEntries(
    counts.map(threads => {
      const [own, bare] = [of(threads, 'package')!, of(threads, 'bare') ?? null]
      const ratio = bare && { ms: own.ms.median / bare.ms.median, cpuMs: own.cpuMs / bare.cpuMs }
      return [String(threads), { package: own, bare, ratio }]
    }),
  )
  const rows = found.map(({ contestant: { threads, variant }, figures }) => [
    String(threads),
    variant === 'package' ? 'package, as the agent runs it' : 'bare onnxruntime-node',
    figure(figures.ms.median, 1),
    figure(figures.ms.p95, 1),
    figure(figures.cpuMs, 1),
    variant === 'package' ? figure(byThreads[String(threads)]!.ratio?.cpuMs, 2) : '',
    figure(figures.sessionMb, 1),
    figure(figures.mbPerImage, 3),
  ])
  return {
    ok: true,
    json: { package: model.identity, images: rounds, threads: byThreads },
    text: [
      `${id} ${version}, ${rounds} pictures each, in turn`,
      '',
      table(['threads', 'what', 'ms median', 'ms p95', 'CPU ms', 'CPU ratio', 'MB', 'MB/image'], rows),
      '',
      'MB: what opening the model adds to a process; MB/image: what each further picture adds. CPU time holds on a busy machine, ms does not.',
    ].join('\n'),
  }
}
