import type { ModelAuditEntry, ShadowView } from '@watchpost/shared/api/models'

export type KeptReport = ShadowView['items'][number]

/** What central remembers of shadow runs and of who changed which model. Small, synchronous, durable on return. */
export interface ModelStore {
  /** The newest report of each agent, model and candidate is kept. */
  saveReport(kept: KeptReport): void
  /** Newest first. */
  reports(model: string): readonly KeptReport[]
  /** The same entry of an agent is written once, however often it is repeated. */
  note(entry: ModelAuditEntry): void
  /** Newest first. */
  audit(limit: number): readonly ModelAuditEntry[]
  close(): void
}
