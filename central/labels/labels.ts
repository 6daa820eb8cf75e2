import { rm } from 'node:fs/promises'
import { Readable } from 'node:stream'
import type { Me } from '@watchpost/shared/api/incidents'
import type {
  ExportLogEntry,
  ExportQuery,
  Label,
  LabelPage,
  LabelQuery,
  PrecisionQuery,
  PrecisionRow,
} from '@watchpost/shared/api/labels'
import { utcTime } from '@watchpost/shared/contracts/primitives'
import type { EvidenceStore } from '../evidence/evidence-store.js'
import type { JudgedEvent, StoredVerdict, VerdictFilter, VerdictStore } from '../incidents/verdict-store.js'
import { exportArchive } from './export-archive.js'
import type { ExportLog } from './export-log.js'
import { precisionOf } from './precision.js'
import { openScratch } from './scratch.js'

export interface LabelsOptions {
  readonly verdicts: VerdictStore
  readonly evidence: Pick<EvidenceStore, 'find'>
  readonly exportLog: ExportLog
  /** For what an export gathers while it runs; emptied at the first one. */
  readonly scratchDirectory: string
  /** Unix milliseconds. */
  readonly clock: () => number
  readonly log: { readonly warn: (fields: object, sentence: string) => void }
}

export interface LabelExport {
  readonly bytes: Readable
  readonly mediaType: string
  readonly fileName: string
}

export interface Labels {
  precision(query: PrecisionQuery): Promise<PrecisionRow[]>
  /** The judged happenings behind the figures, newest verdict first. */
  list(query: LabelQuery): Promise<LabelPage>
  /** Resolves once the export is in the log; its bytes are made as they are read, and breaking off is logged too. */
  export(query: ExportQuery, by: Me): Promise<LabelExport>
  /** Newest first. */
  exports(limit: number): Promise<readonly ExportLogEntry[]>
}

export const createLabels = (options: LabelsOptions): Labels => {
  const { verdicts, evidence, exportLog, scratchDirectory, clock, log } = options
  let emptied: Promise<void> | undefined

  async function* archive(query: ExportQuery, by: Me): AsyncGenerator<Buffer> {
    const { through: asked, ...rest } = query
    const newest = await verdicts.newest()
    const plan = { query: rest, filter: filterOf(query), through: Math.min(asked ?? newest, newest) }
    const entry = { by: by.name, detail: { ...query, through: plan.through } }
    const number = await exportLog.append({ ...entry, at: utcTime(clock()), action: 'began' })
    let end: Pick<ExportLogEntry, 'action' | 'detail'> = { action: 'broke-off', detail: {} }
    // What a crash left there belongs to nobody.
    emptied ??= rm(scratchDirectory, { recursive: true, force: true })
    await emptied
    const scratch = await openScratch(scratchDirectory)
    try {
      // The first chunk is empty: whoever waits for it knows that the export is in the log.
      yield Buffer.alloc(0)
      const counts = yield* exportArchive(plan, { verdicts, evidence, scratch })
      end = { action: 'finished', detail: { ...counts } }
    } catch (error) {
      end = { action: 'broke-off', detail: { reason: (error as Error).message } }
      throw error
    } finally {
      await scratch.close()
      await exportLog
        .append({ ...end, by: by.name, at: utcTime(clock()), export: number })
        .catch(error => log.warn({ err: error, export: number }, 'The end of a label export could not be logged'))
    }
  }

  return {
    precision: async query => precisionOf(await verdicts.counts(filterOf(query))),
    list: async ({ limit, before, ...query }) => {
      const found = await verdicts.happenings(filterOf(query), {
        ...(before !== undefined && { before }),
        limit: limit + 1,
      })
      const items = found.slice(0, limit)
      return { items: items.map(labelOf), next: found.length > limit ? (items.at(-1)?.number ?? null) : null }
    },
    export: async (query, by) => {
      const chunks = archive(query, by)
      await chunks.next()
      const isDocument = query.images === 'none'
      return {
        bytes: Readable.from(chunks, { objectMode: false }),
        mediaType: isDocument ? 'application/json; charset=utf-8' : 'application/x-tar',
        fileName: `watchpost-labels-${query.format}.${isDocument ? 'json' : 'tar'}`,
      }
    },
    exports: limit => exportLog.list(limit),
  }
}

const filterOf = (query: PrecisionQuery & Pick<LabelQuery, 'verdict'>): VerdictFilter => ({
  ...(query.camera && { cameraIds: query.camera }),
  ...(query.kind && { kinds: query.kind }),
  ...(query.verdict && { values: query.verdict }),
  ...(query.model !== undefined && { modelId: query.model }),
  ...(query.modelVersion !== undefined && { modelVersion: query.modelVersion }),
  ...(query.from !== undefined && { fromMs: Date.parse(query.from) }),
  ...(query.to !== undefined && { toMs: Date.parse(query.to) }),
})

const labelOf = ({ number, verdict, incidentId, cameraId, phenomenonAt, event }: JudgedEvent): Label => ({
  number,
  eventId: verdict.eventId,
  incidentId,
  cameraId,
  kind: event.kind,
  model: event.model ? { id: event.model.id, version: event.model.version } : null,
  confidence: event.confidence,
  phenomenonTime: utcTime(phenomenonAt),
  pictureSha256: verdict.pictureSha256,
  verdict: verdictOf(verdict),
})

const verdictOf = ({ boxes, pictureSha256, at, ...verdict }: StoredVerdict): Label['verdict'] => ({
  ...verdict,
  at: utcTime(at),
  boxes: (boxes ?? []).map(({ label, box }) => ({ label, box: [...box] })),
  pictureSha256: boxes && pictureSha256,
})
