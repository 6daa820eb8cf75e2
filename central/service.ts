import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import { Counter, collectDefaultMetrics, Gauge, Registry as MetricsRegister } from 'prom-client'
import { createHttpApp } from './api/http-app.js'
import { openSqliteUsers } from './api/ioc/sqlite/user-store.js'
import type { UserStore } from './api/ioc/user-store.js'
import { createUsers } from './api/ioc/users.js'
import { operations } from './api/plugins/operations.js'
import { type Broker, centralClientId } from './broker/broker.js'
import { createEmbeddedBroker } from './broker/embedded/embedded-broker.js'
import { createLink, type Link, type LinkOptions, NotConnectedError } from './broker/link.js'
import { dataFiles } from './config/data-files.js'
import type { LoadedCentralConfig } from './config/loaded-central-config.js'
import { openDiskEvidence } from './evidence/adapters/disk.js'
import type { EvidenceStore } from './evidence/evidence-store.js'
import type { IncidentStore } from './incidents/incident-store.js'
import { createIncidents } from './incidents/incidents.js'
import { openSqliteIncidents } from './incidents/sqlite/incident-store.js'
import type { CommittedRecord } from './ingest/committed-record.js'
import { createIngest } from './ingest/create-ingest.js'
import type { ExportLog } from './labels/export-log.js'
import { createLabels } from './labels/labels.js'
import { openSqliteExportLog } from './labels/sqlite/export-log.js'
import type { City } from './registry/city.js'
import { openDiskPackages } from './models/adapters/disk-packages.js'
import { createModels } from './models/create-models.js'
import type { ModelStore } from './models/model-store.js'
import type { PackageStore } from './models/package-store.js'
import { openSqliteModelStore } from './models/sqlite/sqlite-model-store.js'
import { createRegistry } from './registry/create-registry.js'
import { openSqliteRegistryStore } from './registry/sqlite/sqlite-registry-store.js'
import { openEmbeddedStore } from './timeseries/embedded/embedded-store.js'
import { openInfluxStore } from './timeseries/influxdb/influx-store.js'
import { newestByArrival } from './timeseries/newest-by-arrival.js'
import { createTimeSeriesConsumer } from './timeseries/observation-points.js'
import type { OnRefused, TimeSeriesStore } from './timeseries/time-series-store.js'
import { packageDir, version } from './version.js'

export interface Service {
  readonly app: FastifyInstance
  /** Resolves when HTTP listens and the log is open; an external broker that is away is waited for. */
  start(): Promise<void>
  /** Stops taking in, commits what was taken, closes. */
  stop(): Promise<void>
  /** A changed city file, already checked, is in force at once. */
  replaceCity(city: City): void
  /** Where it listens; undefined before `start`. */
  address(): { readonly http: string; readonly broker: string } | undefined
}

/** What differs between a service that runs and one that is tested. */
export interface Adapters {
  readonly log: Logger
  readonly clock: () => number
  /** Nothing can be stored any more; the process has to end with an error. */
  readonly onFatal: (reason: Error) => void
  readonly openTimeSeries: (onRefused: OnRefused) => TimeSeriesStore
  readonly openIncidents: () => IncidentStore
  readonly openEvidence: (isNamed: (sha256: string) => Promise<boolean>) => EvidenceStore
  readonly openUsers: () => UserStore
  readonly openPackages: () => PackageStore
  readonly openModels: () => ModelStore
  readonly openExportLog: () => ExportLog
  /** Undefined with an external broker. */
  readonly broker: Broker | undefined
  readonly createLink: (options: LinkOptions) => Link
}

const dayMs = 86_400_000
const sweepEveryMs = 3_600_000
/** A clock that was ahead when the machine came up has been set by then: it would make all evidence old. */
const firstSweepMs = 15 * 60_000
const system = { name: 'system', role: 'admin', wardId: null } as const

export const buildService = async (
  { settings, secrets, city }: LoadedCentralConfig,
  use: Adapters,
): Promise<Service> => {
  const { log, clock } = use
  const files = dataFiles(settings.dataDir)
  const metrics = new MetricsRegister()
  collectDefaultMetrics({ register: metrics })
  let link: Link | undefined
  let address: ReturnType<Service['address']>
  const publish: Link['publish'] = async (...message) => {
    if (link === undefined) throw new NotConnectedError('not connected to a broker yet')
    await link.publish(...message)
  }

  // In the order of the data.
  const registry = createRegistry({
    city,
    store: openSqliteRegistryStore(files.registry),
    publish,
    log: log.child({ room: 'registry' }),
    now: clock,
  })
  const ingest = createIngest({
    file: files.log,
    keepMs: settings.ingest.logDays * dayMs,
    publish,
    isKnown: registry.isKnown,
    noteUnknown: registry.noteUnknown,
    onStatus: (topic, payload) => {
      models.onMessage(topic, payload)
      registry.onMessage(topic, payload)
    },
    log: log.child({ room: 'ingest' }),
    metrics,
    onFatal: use.onFatal,
  })
  const models = createModels({
    store: use.openModels(),
    packages: use.openPackages(),
    registry,
    clock,
    log: log.child({ room: 'models' }),
  })
  const timeseries = newestByArrival(
    use.openTimeSeries(countRefused(metrics, log.child({ room: 'timeseries' }))),
    clock,
  )
  const incidentStore = use.openIncidents()
  const evidence = use.openEvidence(async sha256 => incidents.namesEvidence(sha256, system))
  const incidents = createIncidents({
    store: incidentStore,
    registry,
    evidence,
    clock,
    log: log.child({ room: 'incidents' }),
    onPutAside: countPutAside(metrics, log.child({ room: 'incidents' })),
    mergeRadiusM: settings.incidents.mergeRadiusM,
    sightRangeM: settings.incidents.sightRangeM,
    mergeWindowSeconds: settings.incidents.mergeWindowSeconds,
  })
  const exportLog = use.openExportLog()
  const labels = createLabels({
    verdicts: incidentStore.verdicts,
    evidence,
    exportLog,
    scratchDirectory: files.exportScratch,
    clock,
    log: log.child({ room: 'labels' }),
  })
  const users = createUsers({ store: use.openUsers(), clock })
  const consoleDir = join(packageDir, 'console', 'dist')
  const http = await createHttpApp({
    http: settings.http,
    publicApi: settings.publicApi,
    map: settings.map,
    evidence,
    ...(secrets.evidenceTokens === undefined ? {} : { evidenceTokens: secrets.evidenceTokens }),
    incidents,
    labels,
    registry,
    models,
    ledger: ingest.ledger,
    timeseries,
    users,
    version,
    ...(existsSync(consoleDir) ? { consoleDir } : {}),
    operations: operations({
      metrics,
      checks: [
        { name: 'broker', trouble: () => use.broker?.trouble() ?? link?.trouble() ?? (link ? null : 'not connected') },
        { name: 'log', trouble: () => ingest.storage()?.reason ?? null },
        { name: 'consumers', trouble: () => troubleOfConsumers(ingest.consumers()) },
        { name: 'timeseries', trouble: () => timeseries.ping().then(() => null) },
      ],
    }),
    clock,
    uptimeMs: () => performance.now(),
    log: log.child({ room: 'api' }),
  })

  registry.onOnline(ingest.greet)
  ingest.addConsumer(`timeseries-${settings.timeseries.kind}`, createTimeSeriesConsumer(timeseries))
  ingest.addConsumer('incidents', incidents.apply)
  ingest.addConsumer('registry', registry.applyRecords)
  incidents.onChange(http.incidentChanged)
  registry.onChange(http.registryChanged)
  evidence.onStored(stored => {
    http.evidenceStored(stored)
    incidents.evidenceArrived(stored.sha256).catch(error => log.error({ err: error }, 'New evidence was not announced'))
  })
  measureFleet(metrics, registry.agents, () => use.broker?.restarts() ?? 0)

  const connect = async (): Promise<string> => {
    const at = await locateBroker(settings, secrets, use.broker)
    link = use.createLink({ ...at, clientId: centralClientId, log: log.child({ room: 'broker' }) })
    link.onMessage(ingest.take)
    link.onConnect(() => {
      ingest.repeatAcks()
      registry.repeatDesired()
    })
    link.start()
    return at.url
  }
  const sweepEvidence = () => {
    const before = clock() - settings.evidence.retentionDays * dayMs
    evidence
      .sweep(before)
      .catch(error => log.warn({ err: error }, 'Old evidence could not be removed; tried again later'))
  }
  let firstSweep: NodeJS.Timeout | undefined
  let sweeper: NodeJS.Timeout | undefined

  return {
    app: http.app,
    address: () => address,
    // Last to first: nobody takes in before somebody listens.
    start: async () => {
      await ingest.start()
      registry.start()
      const httpUrl = await http.app.listen({ host: settings.http.host, port: settings.http.port })
      use.broker?.setSites(registry.siteOfAgent())
      address = { http: httpUrl, broker: await connect() }
      firstSweep = setTimeout(sweepEvidence, firstSweepMs)
      sweeper = setInterval(sweepEvidence, sweepEveryMs)
    },
    // First to last: acks of the last commit still go out while the link stands.
    stop: async () => {
      clearTimeout(firstSweep)
      clearInterval(sweeper)
      await ingest.stop()
      await link?.stop()
      await use.broker?.stop()
      await http.close()
      await registry.stop()
      await Promise.all([
        timeseries.close(),
        incidentStore.close(),
        evidence.close(),
        users.close(),
        models.close(),
        exportLog.close(),
      ])
    },
    replaceCity: next => {
      registry.replaceCity(next)
      use.broker?.setSites(registry.siteOfAgent())
    },
  }
}

/** What runs in production, chosen by the settings. */
export const defaultAdapters = (
  { settings, secrets }: LoadedCentralConfig,
  { log, onFatal }: Pick<Adapters, 'log' | 'onFatal'>,
): Adapters => {
  const files = dataFiles(settings.dataDir)
  const { broker, timeseries } = settings
  return {
    log,
    onFatal,
    clock: Date.now,
    openTimeSeries: onRefused =>
      timeseries.kind === 'embedded'
        ? openEmbeddedStore({ file: files.timeseries, rawDays: timeseries.rawDays, onRefused })
        : openInfluxStore({
            ...timeseries,
            ...(secrets.influxPassword === undefined ? {} : { password: secrets.influxPassword }),
            ...(secrets.influxToken === undefined ? {} : { token: secrets.influxToken }),
            onRefused,
          }),
    openIncidents: () => openSqliteIncidents({ file: files.incidents }),
    openEvidence: isNamed =>
      openDiskEvidence({
        directory: files.evidence,
        maxBytes: settings.evidence.maxBytes,
        isNamed,
        clock: Date.now,
      }),
    openUsers: () => openSqliteUsers({ file: files.users }),
    openPackages: () =>
      openDiskPackages({ directory: files.packages, maxBytes: settings.models.maxBytes, clock: Date.now }),
    openModels: () => openSqliteModelStore(files.models),
    openExportLog: () => openSqliteExportLog({ file: files.exportLog }),
    broker:
      broker.mode === 'embedded'
        ? createEmbeddedBroker({
            host: broker.host,
            port: broker.port,
            ...(secrets.brokerCredentials === undefined ? {} : { credentials: secrets.brokerCredentials }),
            log: log.child({ room: 'broker' }),
          })
        : undefined,
    createLink,
  }
}

const locateBroker = async (
  { broker }: LoadedCentralConfig['settings'],
  { brokerPassword, brokerCa }: LoadedCentralConfig['secrets'],
  embedded: Broker | undefined,
): Promise<Pick<LinkOptions, 'url' | 'username' | 'password' | 'ca'>> => {
  if (broker.mode === 'embedded') {
    if (embedded === undefined) throw new Error('an embedded broker is set, but none was given')
    return embedded.start()
  }
  return {
    url: broker.url,
    ...(broker.username === undefined ? {} : { username: broker.username }),
    ...(brokerPassword === undefined ? {} : { password: brokerPassword }),
    ...(brokerCa === undefined ? {} : { ca: brokerCa }),
  }
}

/** A consumer that only lags is working; one that is refused is a trouble. */
const troubleOfConsumers = (consumers: ReturnType<ReturnType<typeof createIngest>['consumers']>): string | null => {
  const failing = consumers.filter(consumer => consumer.failing !== null)
  return failing.length === 0
    ? null
    : failing.map(({ name, lag, failing }) => `${name} (${lag} behind): ${failing?.reason}`).join('; ')
}

const countRefused = (metrics: MetricsRegister, log: Logger): OnRefused => {
  const refused = new Counter({
    name: 'watchpost_timeseries_refused_total',
    help: 'Points no store would take; each is logged and stays in the log of messages',
    registers: [metrics],
  })
  return (point, reason) => {
    refused.inc()
    log.warn({ point, reason }, 'A time series point was refused for good')
  }
}

const countPutAside = (metrics: MetricsRegister, log: Logger) => {
  const putAside = new Counter({
    name: 'watchpost_incidents_put_aside_total',
    help: 'Events whose times cannot be read; each is logged and stays in the log of messages',
    registers: [metrics],
  })
  return ({ position, agentId, envelope }: CommittedRecord) => {
    putAside.inc()
    log.warn({ position, agentId, eventId: envelope.id }, 'An event whose times cannot be read was put aside')
  }
}

const measureFleet = (
  metrics: MetricsRegister,
  agents: () => readonly { readonly status: string; readonly known: boolean }[],
  brokerRestarts: () => number,
): void => {
  new Gauge({
    name: 'watchpost_agents',
    help: 'Agents by what is known of them',
    labelNames: ['status', 'known'],
    registers: [metrics],
    collect() {
      this.reset()
      for (const { status, known } of agents()) this.inc({ status, known: String(known) })
    },
  })
  new Gauge({
    name: 'watchpost_broker_restarts',
    help: 'How often the embedded broker had to be started again',
    registers: [metrics],
    collect() {
      this.set(brokerRestarts())
    },
  })
}
