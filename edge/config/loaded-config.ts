import type { AgentConfig } from './agent-config.js'

/** Passwords and tokens, read from files or the environment; kept apart so that printing a config never shows one. */
export interface AgentSecrets {
  readonly mqttPassword: string | undefined
  readonly evidenceToken: string | undefined
  /** By camera id. */
  readonly cameraPasswords: Readonly<Record<string, string>>
}

/** What the agent runs on: frozen, complete with defaults, every path absolute. */
export interface LoadedAgentConfig {
  /** Absolute path of the file it was read from. */
  readonly file: string
  readonly config: AgentConfig
  readonly secrets: AgentSecrets
  /** SHA-256 of the configuration with its defaults, without secrets: says whether two agents run the same. */
  readonly sha256: string
}
