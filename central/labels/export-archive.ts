import type { CocoDocument, ExportManifest, ExportQuery } from '@watchpost/shared/api/labels'
import type { EvidenceFile, EvidenceStore } from '../evidence/evidence-store.js'
import type { JudgedEvent, VerdictFilter, VerdictStore } from '../incidents/verdict-store.js'
import { type Categories, createCategories } from './categories.js'
import { type ExportCounts, startCounts } from './export-counts.js'
import { cocoAnnotations, cocoImage, fileName, type PixelSize, yoloLines, yoloNames } from './formats.js'
import { jpegSize } from './jpeg-size.js'
import { bytesOf, contentOf, type Part, textFile } from './parts.js'
import { labelPicture, type PictureLabels } from './picture-labels.js'
import type { Rows, Scratch } from './scratch.js'
import { tarEnd, tarFile } from './tar.js'

export interface ExportPlan {
  readonly query: Omit<ExportQuery, 'through'>
  readonly filter: VerdictFilter
  readonly through: number
}
interface ArchiveDeps {
  readonly verdicts: Pick<VerdictStore, 'labelled' | 'tally'>
  readonly evidence: Pick<EvidenceStore, 'find'>
  readonly scratch: Scratch
}

const pageSize = 200
/** EXIF with a thumbnail may come before the size, at most 64 KB each; beyond this the whole file is read. */
const headBytes = 65_536
const description = 'Watchpost: pictures of reviewed events'

/**
 * The bytes of one export, made as they are taken: nothing is read ahead of the reader. Gives the manifest's figures back
 * when all were taken. `images=none` is the COCO document alone, else a tar.
 */
export async function* exportArchive(plan: ExportPlan, deps: ArchiveDeps): AsyncGenerator<Buffer, ExportCounts> {
  const { format, images: wanted, withoutBoxes } = plan.query
  const rows = { images: await deps.scratch.rows('images'), annotations: await deps.scratch.rows('annotations') }
  const missing = await deps.scratch.rows('missing')
  const categories = createCategories()
  const { events, counts } = await startCounts(plan.filter, plan.through, deps.verdicts)

  for await (const labels of pictures(plan, deps.verdicts)) {
    counts.leftOut.sameBoxes += labels.sameBoxes
    if (!isWanted(labels, format, withoutBoxes)) {
      counts.leftOut.noBoxes++
      continue
    }
    const file = await deps.evidence.find(labels.sha256)
    const size = file && (await sizeOf(file))
    if (!file || !size) {
      counts.leftOut[file ? 'unreadablePictures' : 'missingPictures']++
      await missing.add(missingOf(labels, file ? 'not-a-readable-jpeg' : 'not-stored'))
      continue
    }
    const { bytes } = file.evidence
    if (wanted === 'all') yield* tarFile(`images/${fileName(labels.sha256)}`, bytes, file.open())
    if (format === 'yolo') {
      yield* textFile(`labels/${labels.sha256}.txt`, yoloLines(labels, categories))
    }
    await addRows(labels, size, rows, categories)
    counts.images.written++
    counts.images.bytes += bytes
    if (labels.hardNegative) counts.images.hardNegatives++
    if (labels.present.length > 0) counts.images.withoutBoxes++
    counts.annotations += labels.boxes.length
  }

  const head = { schemaVersion: 1, format, query: plan.query, through: plan.through, events, ...counts }
  const manifest: readonly Part[] = [`${JSON.stringify(head).slice(0, -1)},"missing":[`, missing, ']}']
  if (format === 'yolo') {
    yield* textFile('classes.txt', yoloNames(categories))
  } else {
    const document = cocoParts(rows, categories, manifest)
    if (wanted === 'none') {
      yield* contentOf(document)
      return counts
    }
    yield* tarFile('annotations.json', bytesOf(document), contentOf(document))
  }
  yield* tarFile('manifest.json', bytesOf(manifest), contentOf(manifest))
  yield tarEnd()
  return counts
}

/** Pictures in order of their address, each with all that was said of it. */
async function* pictures(
  { filter, through }: ExportPlan,
  verdicts: ArchiveDeps['verdicts'],
): AsyncGenerator<PictureLabels> {
  let group: JudgedEvent[] = []
  let page: readonly JudgedEvent[]
  let last: JudgedEvent | undefined
  do {
    const after = last && { pictureSha256: last.verdict.pictureSha256!, eventId: last.verdict.eventId }
    page = await verdicts.labelled({ ...filter, through }, { ...(after && { after }), limit: pageSize })
    for (const judged of page) {
      if (group.length > 0 && group[0]!.verdict.pictureSha256 !== judged.verdict.pictureSha256) {
        yield labelPicture(group)
        group = []
      }
      group.push(judged)
    }
    last = page.at(-1)
  } while (page.length === pageSize)
  if (group.length > 0) yield labelPicture(group)
}

/** YOLO has no way to say "somewhere in it" or "not of this kind": such a picture would teach that nothing is there. */
const isWanted = (
  { boxes, absent, present }: PictureLabels,
  format: ExportQuery['format'],
  withoutBoxes: ExportQuery['withoutBoxes'],
): boolean => {
  if (format === 'yolo') return present.length === 0 && boxes.length + absent.length > 0
  return boxes.length > 0 || present.length === 0 || withoutBoxes === 'include'
}

const sizeOf = async (file: EvidenceFile): Promise<PixelSize | undefined> => {
  const { bytes } = file.evidence
  const head = await read(file, Math.min(bytes, headBytes))
  return jpegSize(head) ?? (bytes > headBytes ? jpegSize(await read(file, bytes)) : undefined)
}

const read = async (file: EvidenceFile, bytes: number): Promise<Buffer> => {
  const chunks: Buffer[] = []
  for await (const chunk of file.open({ start: 0, end: bytes - 1 })) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

const addRows = async (
  labels: PictureLabels,
  size: PixelSize,
  { images, annotations }: { readonly images: Rows; readonly annotations: Rows },
  categories: Categories,
): Promise<void> => {
  const id = images.count() + 1
  const found = cocoAnnotations(id, annotations.count() + 1, labels, size, categories)
  for (const annotation of found) await annotations.add(annotation)
  await images.add(cocoImage(id, labels, size))
}

const cocoParts = (
  { images, annotations }: { readonly images: Rows; readonly annotations: Rows },
  categories: Categories,
  manifest: readonly Part[],
): readonly Part[] => {
  const info: CocoDocument['info'] = { description, version: '1', contributor: 'Watchpost' }
  const start = `{"info":${JSON.stringify(info)},"licenses":[],"categories":${JSON.stringify(categories.all())}`
  return [`${start},\n"images":[`, images, '],\n"annotations":[', annotations, '],\n"manifest":', ...manifest, '}\n']
}

const missingOf = (
  { sha256, cameraId, takenAt, events }: PictureLabels,
  reason: ExportManifest['missing'][number]['reason'],
): ExportManifest['missing'][number] => ({
  sha256,
  reason,
  eventIds: events.map(({ verdict }) => verdict.eventId),
  cameraId,
  takenAt,
})
