import type { VerdictValue } from '@watchpost/shared/api/incidents'
import type { Event, EventKind } from '@watchpost/shared/contracts/event'
import type { Box } from '@watchpost/shared/contracts/primitives'

/** One judgement. All that were ever given are kept; the newest of an event is the one in force. */
export interface StoredVerdict {
  readonly eventId: string
  readonly value: VerdictValue
  readonly by: string
  /** Unix milliseconds. */
  readonly at: number
  readonly note: string | null
  /** The picture the judgement is about: where the boxes were drawn, else the one of the moment; null: the event has none. */
  readonly pictureSha256: string | null
  /** Null: nothing was corrected, the event's own box stands; empty: nothing is there. */
  readonly boxes: readonly { readonly label: string; readonly box: Box }[] | null
}

export interface VerdictFilter {
  readonly cameraIds?: readonly string[]
  readonly kinds?: readonly EventKind[]
  readonly values?: readonly VerdictValue[]
  readonly modelId?: string
  readonly modelVersion?: string
  /** In event time: at or after, before. */
  readonly fromMs?: number
  readonly toMs?: number
}

/** A judged event, with what a label is made of. */
export interface JudgedEvent {
  /** Counts up over all verdicts, in the order they were given. */
  readonly number: number
  readonly verdict: StoredVerdict
  readonly incidentId: string | null
  readonly cameraId: string
  /** Unix milliseconds. */
  readonly phenomenonAt: number
  readonly event: Event
}

/** Where a page of pictures ended. */
export interface PictureKey {
  readonly pictureSha256: string
  readonly eventId: string
}

/** How often one camera's model was right about one kind. */
export interface VerdictCount {
  readonly cameraId: string
  readonly kind: EventKind
  /** Null: the events name no model. */
  readonly model: { readonly id: string; readonly version: string } | null
  readonly value: VerdictValue
  readonly count: number
  /** Unix milliseconds of the newest verdict among them. */
  readonly newestAt: number
}

/** Verdicts as labels. Verdicts are only ever added, so everything up to a number is a snapshot that stays as it is. */
export interface VerdictStore {
  /** Number of the newest verdict; 0 when there is none. */
  newest(): Promise<number>
  /** Every verdict on an event, oldest first. */
  history(eventId: string): Promise<readonly StoredVerdict[]>
  /**
   * All that was said, as of verdict `through` (of each event by its newest up to there), of the pictures of which an event
   * that matches was judged `true` or `false`: the filter chooses pictures, and what other events say of them comes with them.
   * Judged `true`, `false` or `unsure`, by picture and event ascending: events of one picture stand together.
   */
  labelled(
    filter: VerdictFilter & { readonly through: number },
    page: { readonly after?: PictureKey; readonly limit: number },
  ): Promise<readonly JudgedEvent[]>
  /** Events by their verdict as of `through`, and whether they have a picture. */
  tally(
    filter: VerdictFilter & { readonly through: number },
  ): Promise<readonly { readonly value: VerdictValue; readonly hasPicture: boolean; readonly count: number }[]>
  /** Happenings, each counted once per model, by its newest verdict. */
  counts(filter: VerdictFilter): Promise<readonly VerdictCount[]>
  /** The happenings behind `counts`, newest verdict first, from below verdict `before`. */
  happenings(
    filter: VerdictFilter,
    page: { readonly before?: number; readonly limit: number },
  ): Promise<readonly JudgedEvent[]>
}
