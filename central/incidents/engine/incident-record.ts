import type { IncidentState, VerdictValue } from '@watchpost/shared/api/incidents'
import type { EventKind } from '@watchpost/shared/contracts/event'
import type { EvidenceRole } from '@watchpost/shared/contracts/evidence'
import type { LonLat, Severity } from '@watchpost/shared/contracts/primitives'

/** All times in this room are Unix milliseconds; texts are made of them at the API. */

export interface Measure {
  readonly property: string
  readonly value: number
  readonly unit: string
}

/** What the camera's place is, as the city file has it; every part may be unknown. */
export interface Place {
  readonly location: LonLat | null
  readonly wardId: string | null
  readonly hotspotId: string | null
}

/** One thing that happened in front of one camera: its extent in event time grows with each of its events. */
export interface Happening extends Place {
  /** `siteId/happeningId`: agents choose happening ids, so they are unique in their site only. */
  readonly key: string
  readonly siteId: string
  readonly cameraId: string
  readonly firstAt: number
  readonly lastAt: number
  /** Once an `ended` event was seen, whatever arrives later in whatever order. */
  readonly endedAt: number | null
  /** Where its events saw it from the camera, degrees from north; in ascending order, each once. Records of before have none. */
  readonly bearings?: readonly number[]
}

export interface PictureRef {
  readonly sha256: string
  readonly takenAt: number
  readonly role: EvidenceRole
}

/** A value and the event it came from, so that the newest in event time wins in any order of arrival. */
export interface Dated<T> {
  readonly value: T
  readonly at: number
  readonly eventId: string
}

export interface IncidentRecord extends Place {
  readonly id: string
  readonly kind: EventKind
  readonly state: IncidentState
  /** The highest severity that was reached; `level` and `measure` tell how it is now. */
  readonly severity: Severity
  readonly openedAt: number
  readonly updatedAt: number
  readonly endedAt: number | null
  readonly siteId: string
  readonly cameraId: string
  readonly happenings: readonly Happening[]
  readonly level: Dated<string | null>
  readonly measure: Dated<Measure> | null
  readonly eventCount: number
  /** Newest first, at most `maxPictures`. */
  readonly pictures: readonly PictureRef[]
  readonly verdicts: readonly {
    readonly eventId: string
    readonly happeningKey: string
    readonly value: VerdictValue
  }[]
  readonly assignee: string | null
  readonly resolutionProposed: boolean
  /** Set when this incident was merged into another. */
  readonly duplicateOf: string | null
  /** When people settled it (resolved, closed, judged); null while it is open. */
  readonly settledAt: number | null
  /** Counts every stored change, for optimistic writes; 0 before the first. */
  readonly version: number
}

/** One event of an agent as the engine sees it. */
export interface EventFact extends Place {
  readonly eventId: string
  readonly happeningKey: string
  readonly kind: EventKind
  readonly phase: 'began' | 'updated' | 'ended'
  readonly severity: Severity
  readonly siteId: string
  readonly cameraId: string
  readonly phenomenonAt: number
  readonly receivedAt: number
  /** Where the camera saw it, degrees from north; null when it does not know where it looks. */
  readonly bearingDeg: number | null
  readonly level: string | null
  readonly measure: Measure | null
  readonly pictures: readonly PictureRef[]
}

export type TimelineAction =
  | 'opened'
  | 'event'
  | 'severity'
  | 'state'
  | 'assigned'
  | 'note'
  | 'verdict'
  | 'proposed'
  | 'merged'

/** A timeline entry before the store has chained it to the one before it. */
export interface TimelineDraft {
  readonly incidentId: string
  readonly at: number
  readonly by: string
  readonly action: TimelineAction
  readonly from: string | null
  readonly to: string | null
  readonly note: string | null
  readonly eventId: string | null
}

/** What one step of the engine changes. The store commits all of it or nothing. */
export interface EngineChanges {
  readonly incidents: readonly IncidentRecord[]
  readonly timeline: readonly TimelineDraft[]
  /** Incident of each event that was applied; null: recorded, but no incident is made of it. */
  readonly placements: readonly { readonly eventId: string; readonly incidentId: string | null }[]
  /** Incidents that were absorbed: their events move to `into`. */
  readonly merges: readonly { readonly from: string; readonly into: string }[]
}
