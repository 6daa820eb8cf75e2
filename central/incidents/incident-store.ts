import type { IncidentState } from '@watchpost/shared/api/incidents'
import type { Envelope } from '@watchpost/shared/contracts/envelope'
import type { Event, EventKind } from '@watchpost/shared/contracts/event'
import type { Severity } from '@watchpost/shared/contracts/primitives'
import type { Situation } from './engine/apply-events.js'
import type { EngineChanges, IncidentRecord, TimelineDraft } from './engine/incident-record.js'
import type { StoredVerdict, VerdictStore } from './verdict-store.js'

/** An event as it came from an agent, kept whole. */
export interface StoredEvent {
  readonly eventId: Envelope['id']
  /** Central's log position: ascending in order of arrival. */
  readonly position: number
  readonly siteId: string
  readonly agentId: string
  readonly cameraId: string
  readonly happeningKey: string
  readonly receivedAt: number
  readonly phenomenonAt: number
  readonly event: Event
}
export interface PlacedEvent extends StoredEvent {
  readonly incidentId: string | null
  /** The newest. */
  readonly verdict: StoredVerdict | null
}

export interface ChainedEntry extends TimelineDraft {
  /** SHA-256 of the entry before it (its incident's id for the first) and this entry's canonical form. */
  readonly hash: string
}

/** A record with what only the store can give. */
export interface NumberedIncident extends IncidentRecord {
  /** Counts up from 1 in order of opening, without gaps. */
  readonly number: number
}

export interface SituationQuery {
  readonly eventIds: readonly string[]
  readonly happeningKeys: readonly string[]
  /** Incidents of the kind whose extent in event time touches the span. */
  readonly spans: readonly { readonly kind: EventKind; readonly fromMs: number; readonly toMs: number }[]
}

export interface IncidentFilter {
  readonly states?: readonly IncidentState[]
  readonly kinds?: readonly EventKind[]
  readonly severities?: readonly Severity[]
  readonly cameraId?: string
  readonly wardId?: string
  readonly hotspotId?: string
  /** Incidents opened at or after / before, in event time. */
  readonly sinceMs?: number
  readonly untilMs?: number
  /** Incidents one of whose events names this picture or clip. */
  readonly evidenceSha256?: string
}
export interface EventFilter {
  readonly kinds?: readonly EventKind[]
  readonly cameraId?: string
  readonly incidentId?: string
  readonly wardId?: string
  readonly sinceMs?: number
  readonly untilMs?: number
}
/** Where a page ended: keys, not offsets, so that pages stay put while incidents come in. */
export interface PageKey {
  readonly at: number
  readonly id: string
}
export interface PageRequest {
  readonly after?: PageKey
  readonly limit: number
}

/** A request that may be sent twice: the second time it changes nothing. */
export interface RequestKey {
  readonly key: string
  /** Digest of what was asked, so that a reused key with another body is noticed. */
  readonly fingerprint: string
}

export interface Commit {
  readonly changes: EngineChanges
  readonly events: readonly StoredEvent[]
  readonly verdict?: StoredVerdict
  readonly request?: RequestKey & { readonly at: number }
}

/** Where incidents, their events and their timeline are kept. */
export interface IncidentStore {
  /** The same verdicts, as labels. */
  readonly verdicts: VerdictStore
  /** What the engine needs to place these events. */
  situation(query: SituationQuery): Promise<Situation>
  /**
   * All or nothing, durable when it resolves. 'conflict': a record changed since it was read (its version moved), nothing
   * was written; read again. Events already held are left as they are. New incidents get their number here.
   */
  commit(commit: Commit): Promise<'committed' | 'conflict'>
  get(incidentId: string): Promise<NumberedIncident | undefined>
  /** In order of appending. */
  timeline(incidentId: string): Promise<readonly ChainedEntry[]>
  /** Newest opened first. */
  list(filter: IncidentFilter, page: PageRequest): Promise<readonly NumberedIncident[]>
  /** Newest in event time first. */
  events(filter: EventFilter, page: PageRequest): Promise<readonly PlacedEvent[]>
  event(eventId: string): Promise<PlacedEvent | undefined>
  /** The fingerprint this request key was first used with. */
  requestFingerprint(key: string): Promise<string | undefined>
  close(): Promise<void>
}
