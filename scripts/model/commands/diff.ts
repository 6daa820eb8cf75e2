import { stat } from 'node:fs/promises'
import type { ClassAgreement } from '@watchpost/shared/contracts/shadow-report'
import type { ModelManifest } from '@watchpost/shared/manifest/model-manifest'
import type { ModelPackage } from '@watchpost/edge/inference/model-package'
import { packFolder } from '@watchpost/edge/inference/package-archive-file'
import { createAgreement } from '@watchpost/edge/inference/shadow/agreement'
import { compare } from '@watchpost/edge/inference/shadow/compare'
import { type Command, FailedError, type Outcome } from '../command.js'
import { picturesUnder } from '../data/walk.js'
import { loadRuntime, ownRuntime, packageHelp, packageOptions, withPackage } from '../open-package.js'
import { createRun, readUpright } from '../run-picture.js'
import { createProgress, figure, megabytes, table } from '../terminal.js'

export const diff: Command = {
  help: `Usage: npm run model -- diff A B [--images DIR] [--json]

How two packages differ: what their manifests say, their sizes and, on a folder of pictures, what they see: per class how often both, only A and
only B, and how well their boxes, cells or masks overlap. Compared as a shadow run does it: each at its own thresholds.

  --images DIR          pictures to compare them on, without labels
${packageHelp}

  npm run model -- diff models/smoke-flame smoke-new-0.1.0.wpm --images frames`,
  options: { ...packageOptions, images: { type: 'string' } },
  async run(given) {
    const [a, b] = given.pathArguments(2, 2, 'two packages')
    const images = given.path('images')
    return withPackage(a!, given, first => withPackage(b!, given, second => difference(first, second, images)))
  },
}

interface Change {
  readonly path: string
  readonly a: string | null
  readonly b: string | null
}

interface Agreement {
  readonly images: number
  readonly unit: string
  /** Of everything that one of them saw, the share that both saw; null: neither saw anything. */
  readonly share: number | null
  readonly labels: readonly ClassAgreement[]
}

const difference = async (a: ModelPackage, b: ModelPackage, images: string | undefined): Promise<Outcome> => {
  const manifest = changes(a.manifest, b.manifest)
  const sizes = { a: await sizesOf(a), b: await sizesOf(b) }
  const agreement = images === undefined ? null : await agreementOn(a, b, images)
  return {
    ok: true,
    json: { a: a.identity, b: b.identity, manifest, sizes, agreement },
    text: report(a, b, manifest, sizes, agreement),
  }
}

/** Of the manifest as it is written. Hashes of single files and signatures say nothing that the digest does not. */
const changes = (a: ModelManifest, b: ModelManifest): readonly Change[] => {
  const [left, right] = [flat(a), flat(b)]
  return [...new Set([...left.keys(), ...right.keys()])]
    .filter(path => !/^(files|signature\.value)/.test(path) && left.get(path) !== right.get(path))
    .map(path => ({ path, a: left.get(path) ?? null, b: right.get(path) ?? null }))
}

/** Lists of plain values stay together: nobody wants a line per label. */
const flat = (value: unknown, path = '', found = new Map<string, string>()): ReadonlyMap<string, string> => {
  const isPlain = Array.isArray(value) && value.every(item => typeof item !== 'object')
  if (typeof value !== 'object' || value === null || isPlain) found.set(path, JSON.stringify(value))
  else
    for (const [key, item] of Object.entries(value))
      flat(item, Array.isArray(value) ? `${path}[${key}]` : path === '' ? key : `${path}.${key}`, found)
  return found
}

const sizesOf = async (model: ModelPackage) => {
  const { archive, sha256 } = await packFolder(model.dir)
  return { weightsBytes: (await stat(model.weightsPath)).size, packageBytes: archive.length, digest: sha256 }
}

const agreementOn = async (a: ModelPackage, b: ModelPackage, images: string): Promise<Agreement> => {
  const pictures = await picturesUnder(images, ['masks'])
  if (pictures.length === 0) throw new FailedError(`--images ${images} holds no pictures.`)
  const sides = await Promise.all(
    [a, b].map(async model => {
      const session = await (await loadRuntime(ownRuntime(model.manifest))).open(model)
      return { run: createRun(model, session), thresholds: model.manifest.thresholds, session }
    }),
  )
  const agreement = createAgreement()
  const progress = createProgress('diff', pictures.length)
  for (const path of pictures) {
    const picture = await readUpright(path)
    const [left, right] = [await sides[0]!.run(picture), await sides[1]!.run(picture)]
    const comparison = compare(
      { decoded: left.decoded, thresholds: sides[0]!.thresholds },
      { decoded: right.decoded, thresholds: sides[1]!.thresholds },
    )
    if (!comparison)
      throw new FailedError(
        `${a.identity.id} gives ${left.decoded.kind}, ${b.identity.id} gives ${right.decoded.kind}: these cannot be compared. Leave --images out to see how the manifests differ.`,
      )
    agreement.add(comparison)
    progress.step()
  }
  progress.end()
  for (const { session } of sides) await session.close()
  return { images: pictures.length, unit: agreement.unit(), share: agreement.share(), labels: agreement.classes() }
}

const short = (text: string | null): string => (text === null ? '–' : text.length > 48 ? `${text.slice(0, 47)}…` : text)

const report = (
  a: ModelPackage,
  b: ModelPackage,
  manifest: readonly Change[],
  sizes: Readonly<Record<'a' | 'b', Awaited<ReturnType<typeof sizesOf>>>>,
  agreement: Agreement | null,
): string => {
  const name = ({ identity }: ModelPackage): string => `${identity.id} ${identity.version}`
  const rows = manifest.map(({ path, a, b }) => [path, short(a), short(b)])
  const sizeRows = [
    ['weights', megabytes(sizes.a.weightsBytes), megabytes(sizes.b.weightsBytes)],
    ['package', megabytes(sizes.a.packageBytes), megabytes(sizes.b.packageBytes)],
    ['digest', sizes.a.digest.slice(0, 16), sizes.b.digest.slice(0, 16)],
  ]
  return [
    `A: ${name(a)}, B: ${name(b)}`,
    '',
    rows.length === 0 ? 'The manifests say the same.' : table(['manifest', 'A', 'B'], rows),
    '',
    table(['size', 'A', 'B'], sizeRows),
    ...(agreement ? ['', ...agreementReport(agreement)] : []),
  ].join('\n')
}

const agreementReport = ({ images, unit, share, labels }: Agreement): readonly string[] => {
  const rows = labels.map(({ label, agree, onlyActive, onlyCandidate, iou }) => [
    label,
    String(agree),
    String(onlyActive),
    String(onlyCandidate),
    figure(iou),
  ])
  return [
    `On ${images} pictures, in ${unit}; both saw ${share === null ? 'nothing' : `${(share * 100).toFixed(1)} % of what either saw`}`,
    table(['label', 'both', 'only A', 'only B', 'IoU'], rows),
  ]
}
