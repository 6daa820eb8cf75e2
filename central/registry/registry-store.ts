import type { Health, State } from '@watchpost/shared/contracts/agent-status'
import type { CameraCondition } from '@watchpost/shared/contracts/camera-health'
import type { Desired, Reported } from '@watchpost/shared/contracts/twin'
import type { AgentAddress } from '@watchpost/shared/topics'

/** The last words of an agent, so that a restart of central does not forget it. */
export interface SavedAgent extends AgentAddress {
  readonly state: State | null
  readonly health: Health | null
  readonly reported: Reported | null
  /** Unix ms at central. */
  readonly lastSeenAt: number | null
  /** Unix ms at central; null without health. */
  readonly healthAt: number | null
}

/** The newest phase of one condition of one camera. */
export interface SavedCondition {
  readonly cameraId: string
  readonly condition: CameraCondition
  readonly active: boolean
  /** Time of the phenomenon, as written in the message; of one that was ahead of central's clock, the beginning of time. */
  readonly since: string
  readonly message: string
  readonly hint: string
}

/** What the registry remembers. All methods are synchronous, small and durable on return. */
export interface RegistryStore {
  agents(): readonly SavedAgent[]
  saveAgents(agents: readonly SavedAgent[]): void
  conditions(): readonly SavedCondition[]
  saveConditions(conditions: readonly SavedCondition[]): void
  desired(agentId: string): Desired | undefined
  saveDesired(agentId: string, desired: Desired): void
  close(): void
}
