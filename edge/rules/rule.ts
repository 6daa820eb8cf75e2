import type { Event } from '@watchpost/shared/contracts/event'
import type { Reading } from '../analytics/reading.js'

/** An event before the agent adds its model and evidence. `happeningId` is already final. */
export type EventDraft = Omit<Event, 'evidence' | 'model'>

/** Pure: readings in, events out; time is the readings' own. One instance per camera and analytic. */
export interface Rule {
  evaluate(readings: readonly Reading[], atMs: number): readonly EventDraft[]
  /** What must survive a restart (open happenings), as JSON; stored in the same transaction as the events. */
  state(): unknown
}
