import type { IncidentSummary } from '@watchpost/shared/api/incidents'
import type { FastifyBaseLogger, FastifyInstance, FastifyPluginAsync } from 'fastify'
import type { CentralConfig } from '../config/central-config.js'
import type { EvidenceStore, StoredEvidence } from '../evidence/evidence-store.js'
import type { Incidents } from '../incidents/incidents.js'
import type { Ingest } from '../ingest/ingest.js'
import type { Labels } from '../labels/labels.js'
import type { Models } from '../models/models.js'
import type { Registry, RegistryChange } from '../registry/registry.js'
import type { TimeSeriesStore } from '../timeseries/time-series-store.js'
import type { Users } from './ioc/users.js'

/** What the HTTP application needs; the composition root hands it over. */
export interface HttpDeps {
  readonly http: Pick<CentralConfig['http'], 'trustProxy' | 'secureCookies'>
  readonly publicApi: CentralConfig['publicApi']
  readonly map: CentralConfig['map']
  readonly evidence: EvidenceStore
  /** Token by agent; undefined: only loopback may upload. */
  readonly evidenceTokens?: ReadonlyMap<string, string>
  readonly incidents: Incidents
  readonly labels: Labels
  readonly registry: Pick<Registry, 'city' | 'camera' | 'wardAt' | 'siteOfAgent' | 'cameras' | 'agents' | 'command'>
  readonly models: Models
  readonly ledger: Ingest['ledger']
  readonly timeseries: Pick<TimeSeriesStore, 'query' | 'latest'>
  readonly users: Users
  /** Of this release, for the OpenAPI document. */
  readonly version: string
  /** Folder of the built console; undefined: no console is served. */
  readonly consoleDir?: string
  /** /healthz, /readyz, /metrics. */
  readonly operations?: FastifyPluginAsync
  /** Unix milliseconds. */
  readonly clock: () => number
  /** Milliseconds that only go forward, whatever is done to the clock: for ages. */
  readonly uptimeMs: () => number
  readonly log: FastifyBaseLogger
}

/** Routes, and the doors through which the other rooms tell browsers what changed. */
export interface HttpApp {
  readonly app: FastifyInstance
  incidentChanged(summary: IncidentSummary): void
  registryChanged(change: RegistryChange): void
  evidenceStored(evidence: StoredEvidence): void
  close(): Promise<void>
}
