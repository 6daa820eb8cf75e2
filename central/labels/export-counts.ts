import type { ExportManifest } from '@watchpost/shared/api/labels'
import type { VerdictFilter, VerdictStore } from '../incidents/verdict-store.js'

/** The figures of a manifest; they grow while an export runs. */
export interface ExportCounts {
  readonly images: ExportManifest['images']
  annotations: number
  readonly leftOut: ExportManifest['leftOut']
}

/** What can be said before the first picture: the events that match, and those that make no label. */
export const startCounts = async (
  filter: VerdictFilter,
  through: number,
  verdicts: Pick<VerdictStore, 'tally'>,
): Promise<{ readonly events: ExportManifest['events']; readonly counts: ExportCounts }> => {
  const { values, ...rest } = filter
  const tally = await verdicts.tally({ ...rest, through })
  const sum = (of: (item: (typeof tally)[number]) => boolean): number =>
    tally.filter(of).reduce((total, { count }) => total + count, 0)
  const isAsked = (value: string): boolean => !values || values.some(name => name === value)
  const isLabel = (value: string): boolean => value === 'true' || value === 'false'
  const of = (name: string): number => sum(({ value }) => value === name)
  return {
    events: { true: of('true'), false: of('false'), unsure: of('unsure'), duplicate: of('duplicate') },
    counts: {
      images: { written: 0, hardNegatives: 0, withoutBoxes: 0, bytes: 0 },
      annotations: 0,
      leftOut: {
        unsure: of('unsure'),
        duplicate: of('duplicate'),
        notAsked: sum(({ value }) => isLabel(value) && !isAsked(value)),
        noPicture: sum(({ value, hasPicture }) => isLabel(value) && isAsked(value) && !hasPicture),
        noBoxes: 0,
        missingPictures: 0,
        unreadablePictures: 0,
        sameBoxes: 0,
      },
    },
  }
}
