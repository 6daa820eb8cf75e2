import type { Event } from '@watchpost/shared/contracts/event'
import type { Reading } from '../analytics/reading.js'

/** An event before the agent adds its model and evidence. `happeningId` is already final. */
export type EventDraft = Omit<Event, 'evidence' | 'model'>

/** What `createRule(config, context)` needs beside the analytic's own settings. */
export interface RuleContext {
  readonly cameraId: string
  /** Where the camera looks: the bearing of the picture's middle and its width in degrees; plume events get a bearing by it. */
  readonly view?: { readonly bearingDeg: number; readonly fieldOfViewDeg: number }
  /** What `state()` gave before the restart. */
  readonly restored?: unknown
}

/** Pure: readings in, events out; time is the readings' own. One instance per camera and analytic. */
export interface Rule {
  /** Call once per frame, also without readings; `atMs` is the frame's time. */
  evaluate(readings: readonly Reading[], atMs: number): readonly EventDraft[]
  /** What must survive a restart (open happenings), as JSON; stored in the same transaction as the events. */
  state(): unknown
  /** Why the restored state was not taken over (another version, damaged), for the log; null when it was, or none was given. */
  readonly restoreProblem: string | null
}
