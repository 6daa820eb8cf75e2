import { type ConfigError, InvalidConfigError } from '@watchpost/shared/config/config-error'
import { createDesiredStore } from './desired-store.js'
import { type LoadOptions, loadAgentConfig } from './load-agent-config.js'
import type { LoadedAgentConfig } from './loaded-config.js'

export interface ConfigWithDesired {
  readonly loaded: LoadedAgentConfig
  /** Of central's settings in it; 0: none. */
  readonly version: number
  /** Why central's last settings could not be taken; the local ones run then. */
  readonly errors: readonly ConfigError[]
}

/** The local file with the settings central last gave, as far as both are sound. @throws {InvalidConfigError} for the local file. */
export const loadWithDesired = (file: string, options: Omit<LoadOptions, 'overlay'> = {}): ConfigWithDesired => {
  const local = loadAgentConfig(file, { ...options, purpose: 'inspect' })
  const desired = createDesiredStore(local.config.dataDir).read()
  if (!desired) return { loaded: loadAgentConfig(file, options), version: 0, errors: [] }
  try {
    const loaded = loadAgentConfig(file, { ...options, overlay: desired.config })
    return { loaded, version: desired.version, errors: [] }
  } catch (error) {
    if (!(error instanceof InvalidConfigError)) throw error
    return { loaded: loadAgentConfig(file, options), version: 0, errors: error.errors }
  }
}
