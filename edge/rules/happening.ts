import type { EventKind } from '@watchpost/shared/contracts/event'
import { type Severity, severities, utcTime } from '@watchpost/shared/contracts/primitives'
import type { EventDraft } from './rule.js'

/** Contract: at most 200 characters, of which camera, analytic and time take up to 144. */
const maxKeyLength = 56

/** Deterministic, so that a replay of the same frames names the same happening. */
export const happeningIdOf = (cameraId: string, analyticId: string, beganAtMs: number, key: string): string =>
  `${cameraId}/${analyticId}/${Math.round(beganAtMs)}/${key.slice(0, maxKeyLength)}`

export interface Facts extends Omit<EventDraft, 'phenomenonTime' | 'analytic' | 'kind'> {
  readonly kind: EventKind
}

export const draftOf = (analytic: string, atMs: number, { confidence, ...facts }: Facts): EventDraft => ({
  ...facts,
  analytic,
  confidence: Number(Math.min(1, Math.max(0, confidence)).toFixed(3)),
  phenomenonTime: utcTime(atMs),
})

export const oneHigher = (severity: Severity): Severity =>
  severities[Math.min(severities.indexOf(severity) + 1, severities.length - 1)]!

export const isHigher = (severity: Severity, than: Severity): boolean =>
  severities.indexOf(severity) > severities.indexOf(than)
