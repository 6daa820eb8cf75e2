import type { City } from '../registry/city.js'
import type { CentralConfig } from './central-config.js'

/** A configuration that was read, checked and frozen: what the composition root is built from. */
export interface LoadedCentralConfig {
  /** The file it came from, for messages and for reading it again. */
  readonly file: string
  /** All paths in it are absolute. */
  readonly settings: CentralConfig
  readonly city: City
  readonly secrets: CentralSecrets
}

/** Read from files or the environment, never from the configuration itself, never logged. */
export interface CentralSecrets {
  /** External broker. */
  readonly brokerPassword?: string
  readonly brokerCa?: string
  /** Embedded broker: password by agent; undefined: no credentials file, only loopback may connect. */
  readonly brokerCredentials?: ReadonlyMap<string, string>
  readonly influxPassword?: string
  readonly influxToken?: string
  /** Evidence upload: token by agent; undefined: no tokens file, only loopback may upload. */
  readonly evidenceTokens?: ReadonlyMap<string, string>
}
