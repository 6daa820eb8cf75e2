import { type EventKind, eventKinds } from '@watchpost/shared/contracts/event'
import { type Severity, severities } from '@watchpost/shared/contracts/primitives'
import { draftOf } from './happening.js'
import { hasShape, readState } from './restored-state.js'
import type { EventDraft } from './rule.js'
import { severityOf } from './traffic-offence.js'

/** What the stored happenings of all rules tell; a flood's name no kind, a vehicle's no severity. */
interface StoredHappening {
  readonly happeningId: string
  readonly kind?: string
  readonly severity?: string
  readonly confidence?: number
  readonly zone?: string
  readonly place?: string
}

const isStored = (value: unknown): value is StoredHappening => hasShape(value, { happeningId: 'string' })

/** `ended` at `atMs` (Unix milliseconds) for every happening in the stored state of a rule that runs no more. What cannot be read is left out. */
export const endStored = (state: unknown, analyticId: string, atMs: number): readonly EventDraft[] =>
  readState(state, isStored).open.flatMap(({ happeningId, confidence = 1, zone, place, ...stored }) => {
    const kind = stored.kind ?? 'flood-level'
    if (!isKind(kind)) return []
    const severity = isSeverity(stored.severity) ? stored.severity : usualSeverityOf(kind)
    const where = zone ?? place
    return [
      draftOf(analyticId, atMs, {
        happeningId,
        kind,
        phase: 'ended',
        severity,
        confidence,
        ...(where === undefined ? {} : { zone: where }),
      }),
    ]
  })

const isKind = (kind: string): kind is EventKind => eventKinds.some(known => known === kind)
const isSeverity = (severity: string | undefined): severity is Severity => severities.some(known => known === severity)
const usualSeverityOf = (kind: EventKind): Severity =>
  (severityOf as Readonly<Partial<Record<EventKind, Severity>>>)[kind] ?? 'major'
