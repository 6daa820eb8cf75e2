import type { CameraStatus, Health } from '@watchpost/shared/contracts/agent-status'
import type { OutboxStatus } from '../outbox/outbox.js'
import type { RecorderStatus } from '../outbox/recorder.js'
import type { UplinkStatus } from '../uplink/uplink.js'

export interface CameraSnapshot extends CameraStatus {
  readonly name: string
  /** What is wrong and what to do; null while all is well. */
  readonly problem: { readonly message: string; readonly hint: string } | null
}

/** Everything the agent knows about itself at one moment. */
export interface AgentSnapshot {
  readonly siteId: string
  readonly agentId: string
  readonly version: string
  /** Unix milliseconds. */
  readonly at: number
  readonly startedAt: number
  readonly cameras: readonly CameraSnapshot[]
  readonly outbox: OutboxStatus
  readonly recorder: RecorderStatus
  readonly uplink: UplinkStatus
  readonly evidence: { readonly pending: number; readonly bytes: number }
  readonly eventLoopLagMs: number
  /** Errors of the settings central wants, in words. */
  readonly configErrors: readonly string[]
}

/** The part of a snapshot that central is told. */
export const healthOf = (snapshot: AgentSnapshot): Health => {
  const { epoch, size, oldestAgeMs, lastSeq, ackedSeq, deadLetters, thinned } = snapshot.outbox
  return {
    at: new Date(snapshot.at).toISOString(),
    cameras: snapshot.cameras.map(({ name: _name, problem: _problem, ...status }) => status),
    outbox: { epoch, size, oldestAgeMs, lastSeq, ackedSeq, deadLetters, thinned },
    evidence: snapshot.evidence,
    eventLoopLagMs: snapshot.eventLoopLagMs,
  }
}
