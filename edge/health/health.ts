import type { Health } from '@watchpost/shared/contracts/agent-status'
import { type AgentSnapshot, healthOf } from './agent-snapshot.js'

export interface HealthOptions {
  /** Asks every room how it is. */
  readonly look: () => Promise<AgentSnapshot>
  readonly log: { error(fields: object, message: string): void }
  readonly everyMs?: number
}

export interface HealthMonitor {
  /** One listener; called with every sample. */
  onSample(listener: (health: Health) => void): void
  start(): Promise<void>
  stop(): Promise<void>
}

/** Takes a sample every few seconds, one at a time, and hands it on. */
export const createHealthMonitor = ({ look, log, everyMs = 5_000 }: HealthOptions): HealthMonitor => {
  let timer: NodeJS.Timeout | undefined
  let isRunning = false
  let onSample = (_health: Health): void => {}

  const sample = async (): Promise<void> => {
    try {
      onSample(healthOf(await look()))
    } catch (error) {
      log.error({ err: error }, 'The state of the agent could not be sampled')
    }
    if (isRunning) timer = setTimeout(() => void sample(), everyMs)
  }

  return {
    onSample(listener) {
      onSample = listener
    },
    async start() {
      isRunning = true
      timer = setTimeout(() => void sample(), Math.min(1_000, everyMs))
    },
    async stop() {
      isRunning = false
      clearTimeout(timer)
    },
  }
}
