import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import { buildCameras } from './cameras.js'
import { createDesiredStore } from './config/desired-store.js'
import { loadAgentConfig } from './config/load-agent-config.js'
import type { ConfigWithDesired } from './config/load-with-desired.js'
import type { LoadedAgentConfig } from './config/loaded-config.js'
import { createTwin } from './config/twin.js'
import { createEvidence } from './evidence/evidence.js'
import { createEvidenceUploader } from './evidence/evidence-uploader.js'
import type { AgentSnapshot } from './health/agent-snapshot.js'
import { createEventLoopLag } from './health/event-loop-lag.js'
import { createHealthMonitor } from './health/health.js'
import { createStatusServer } from './health/status-server.js'
import { openCandidate } from './inference/candidate.js'
import { createPercentiles } from './inference/shadow/percentiles.js'
import { createShadowRun } from './inference/shadow/shadow-run.js'
import { unpackPackage } from './inference/unpack-package.js'
import { loadReplacement, missingLabels } from './load-models.js'
import { createDownload } from './models/download.js'
import { createModelDesk } from './models/model-desk.js'
import { createPackageStore } from './models/package-store.js'
import { createRolloutStore } from './models/rollout-state.js'
import { openSqliteOutbox } from './outbox/adapters/sqlite.js'
import type { Outbox } from './outbox/outbox.js'
import { createRecorder } from './outbox/recorder.js'
import { lifecycle } from './pipeline/lifecycle.js'
import { createTurns } from './pipeline/turns.js'
import { createMqttJsLink } from './uplink/adapters/mqtt-js.js'
import type { CommandRequest } from './uplink/command-desk.js'
import type { MqttLink, MqttLinkOptions } from './uplink/mqtt-link.js'
import { createUplink } from './uplink/uplink.js'

/** What may be another thing in tests. */
export interface Adapters {
  readonly outbox: Outbox
  readonly createLink: (options: MqttLinkOptions) => MqttLink
}

export interface AgentContext {
  readonly log: Logger
  /** Of the software. */
  readonly version: string
}

export interface Agent {
  /** Rejects when a model package or the outbox cannot be opened; cameras and brokers that are away are no reason. */
  start(): Promise<void>
  /** Stops taking in, drains, closes. Everything recorded stays in the outbox. */
  stop(): Promise<void>
  look(): Promise<AgentSnapshot>
  statusAddress(): { readonly host: string; readonly port: number } | null
}

/** While the disk is full it waits for room, until `signal`. */
export const openAdapters = async (
  { config }: LoadedAgentConfig,
  log: Logger,
  signal?: AbortSignal,
): Promise<Adapters> => ({
  outbox: await openSqliteOutbox({
    file: join(config.dataDir, 'outbox.db'),
    siteId: config.site,
    maxRows: config.outbox.maxRows,
    log: log.child({ room: 'outbox' }),
    ...(signal ? { signal } : {}),
  }),
  createLink: createMqttJsLink,
})

/** The agent of one site, in the order of the data: cameras → recorder → outbox → uplink. */
export const buildAgent = (running: ConfigWithDesired, use: Adapters, { log, version }: AgentContext): Agent => {
  const { config, secrets, file } = running.loaded
  const room = (name: string) => log.child({ room: name })
  const address = { siteId: config.site, agentId: config.agent }
  const startedAt = Date.now()

  const evidence = createEvidence({ dir: join(config.dataDir, 'evidence'), ...config.evidence, log: room('evidence') })
  const recorder = createRecorder({ outbox: use.outbox, log: room('outbox') })
  const uploader = createEvidenceUploader({
    url: config.evidence.url,
    token: secrets.evidenceToken,
    agentId: config.agent,
    evidence,
    log: room('evidence'),
  })
  const uplink = createUplink({
    address,
    version,
    outbox: use.outbox,
    broker: {
      ...config.mqtt,
      username: config.mqtt.username,
      password: secrets.mqttPassword,
      caFile: config.mqtt.caFile,
    },
    createLink: use.createLink,
    log: room('uplink'),
  })
  /** `isStandIn`: in the place of settings of central that cannot be taken now; `passedOver` says why promoted packages do not run this time. */
  const build = (
    { config: wanted }: LoadedAgentConfig,
    { isStandIn = false, passedOver }: { readonly isStandIn?: boolean; readonly passedOver?: string } = {},
  ) =>
    buildCameras(wanted, {
      isStandIn,
      outbox: use.outbox,
      recorder,
      evidence,
      overrides: {
        of: (slot, path) => (passedOver === undefined ? models.overrides(slot, path) : []),
        settle: (model, why = passedOver) => {
          // A promotion waits for the settings it was made for.
          if (!isStandIn || why !== undefined) models.settle(model, why)
        },
      },
      onJudged: (slot, frame, result) => models.judged(slot, frame, result),
      onFailed: (slot, error) => models.failed(slot, error),
      log,
    })
  let inForce = running.loaded
  let stage: 'starting' | 'running' | 'drained' | 'stopped' = 'starting'
  // Settings, commands and signals come at any time; the cameras are started and stopped one at a time.
  const inTurn = createTurns()

  const models = createModelDesk({
    store: createRolloutStore(join(config.dataDir, 'model-rollout.json')),
    packages: createPackageStore(join(config.dataDir, 'packages'), unpackPackage),
    download: createDownload({
      url: config.evidence.url,
      token: secrets.evidenceToken,
      agentId: config.agent,
      maxBytes: largestPackageBytes,
    }),
    running: () => cameras.models(),
    load: (slot, folder) => loadReplacement(inForce.config, slot, folder),
    loadCandidate: async (slot, folder) => {
      const candidate = await loadReplacement(inForce.config, slot, folder)
      const active = cameras.models().find(model => model.slot === slot)
      const missing = active ? missingLabels(active.package, candidate) : []
      if (missing.length === 0) return candidate
      throw new Error(
        `It does not know ${missing.join(', ')}, which the active model reports. Rename its labels, or change the cameras first.`,
      )
    },
    openCandidate,
    beginShadow: shadow => createShadowRun({ ...shadow, thumbnail: evidence.thumbnail, now: Date.now }),
    swap: (slot, model, digest) => inTurn(() => cameras.swap(slot, model, digest)),
    createLatency: createPercentiles,
    log: room('models'),
  })
  let isStandIn = running.errors.length > 0
  let cameras = build(inForce, { isStandIn })

  /** New settings for the cameras: checked while the old ones still run, so a package that is refused costs no frame. */
  const apply = async (next: LoadedAgentConfig): Promise<void> => {
    if (stage === 'stopped') throw new Error('The agent is stopping')
    const replacement = build(next)
    await replacement.prepare()
    await cameras.stop()
    stage = 'running'
    try {
      cameras = replacement
      await cameras.start()
      inForce = next
      isStandIn = false
    } catch (error) {
      await cameras.stop()
      cameras = build(inForce, { isStandIn })
      await cameras.start()
      throw error
    }
  }
  /** A promoted package that opens but does not run any more must not keep the agent from watching. */
  const startCameras = async (): Promise<void> => {
    try {
      await cameras.start()
    } catch (error) {
      const promoted = cameras.models().filter(({ digest }) => digest !== null)
      if (promoted.length === 0) throw error
      await cameras.stop()
      cameras = build(inForce, { isStandIn, passedOver: (error as Error).message })
      await cameras.start()
    }
  }
  const twin = createTwin({
    running,
    errors: running.errors,
    load: overlay => loadAgentConfig(file, { overlay }),
    apply: next => inTurn(() => apply(next)),
    models: models.standings,
    wish: models.desire,
    modelErrors: models.errors,
    store: createDesiredStore(config.dataDir),
    software: version,
    log: room('config'),
  })

  const command = async ({ name, cameraId, model }: CommandRequest): Promise<Record<string, unknown>> => {
    if (name === 'reload') {
      await twin.reload()
      if (stage === 'drained') await inTurn(() => apply(inForce))
      return { configSha256: twin.report().configSha256, needsRestart: needsRestart(running.loaded, inForce) }
    }
    if (name === 'drain') {
      stage = 'drained'
      await inTurn(() => cameras.stop())
      return { ...(await drained(use.outbox)) }
    }
    if (name === 'model') {
      if (model === undefined) throw new Error('The command names no model: give model.action and model.id.')
      return models.command(model)
    }
    const frame = cameras.newestFrame(cameraId)
    const picture = await evidence.snapshot(frame, 'snapshot')
    return { ...picture, cameraId: frame.cameraId, width: frame.width, height: frame.height }
  }

  const lag = createEventLoopLag()
  let lagMs = 0
  const look = async (): Promise<AgentSnapshot> => ({
    ...address,
    version,
    at: Date.now(),
    startedAt,
    cameras: cameras.look(),
    outbox: await use.outbox.status(),
    recorder: recorder.status(),
    uplink: uplink.status(),
    evidence: { pending: evidence.status().pending, bytes: evidence.status().bytes },
    eventLoopLagMs: lagMs,
    configErrors: twin.report().errors.map(({ path, message }) => `${path} ${message}`.trim()),
  })
  const health = createHealthMonitor({
    look: () => {
      lagMs = lag.takeMs()
      return look()
    },
    log: room('health'),
  })
  const status = createStatusServer({ ...config.status, look, log: room('health') })

  recorder.onRecorded(uplink.wake)
  uplink.onDesired(payload => void twin.desire(payload))
  uplink.onReport(twin.report)
  uplink.onShadow(models.reports)
  uplink.onCommand(command)
  twin.onChanged(uplink.publishReported)
  models.onChanged(uplink.publishReported)
  models.onReports(uplink.publishShadow)
  health.onSample(uplink.publishHealth)

  const parts = lifecycle([
    { name: 'report', start: uplink.publishReported },
    {
      name: 'cameras',
      // Central's settings may have come first, and started them already.
      start: () =>
        inTurn(async () => {
          if (stage === 'starting') {
            await startCameras()
            stage = 'running'
          }
          models.start()
        }),
      stop: () => {
        stage = 'stopped'
        return inTurn(() => cameras.stop())
      },
    },
    // Candidates end while their last reports and pictures can still be kept and sent.
    { name: 'models', stop: models.stop },
    // Before the evidence room in this list: it starts after it, with the pictures an earlier run left.
    { name: 'uploader', start: uploader.start, stop: uploader.stop },
    { name: 'evidence', start: evidence.start, stop: evidence.stop },
    { name: 'last pictures', stop: () => cameras.settled() },
    { name: 'recorder', stop: recorder.stop },
    { name: 'uplink', start: uplink.start, stop: uplink.stop },
    { name: 'health', start: health.start, stop: health.stop },
    { name: 'status', start: status.start, stop: status.stop },
    { name: 'lag', start: lag.start, stop: lag.stop },
    { name: 'promoted models', start: models.recover },
    { name: 'outbox', stop: use.outbox.close },
  ])
  return { ...parts, look, statusAddress: status.address }
}

const drainPatienceMs = 60_000
/** Detectors for gateways have some ten megabytes; a disk is not to be filled by a mistake. */
const largestPackageBytes = 512 * 1024 * 1024

/** Waits until central has everything that is recorded, for a while. */
const drained = async (outbox: Outbox): Promise<{ readonly waiting: number }> => {
  const deadline = Date.now() + drainPatienceMs
  for (;;) {
    const { size } = await outbox.status()
    if (size === 0 || Date.now() > deadline) return { waiting: size }
    await sleep(200)
  }
}

/** Cameras, models and workers are replaced while the agent runs; the rest of the file is read at start. */
const needsRestart = (started: LoadedAgentConfig, now: LoadedAgentConfig): boolean => {
  const rest = ({
    config: { cameras: _cameras, models: _models, inference: _inference, ...others },
  }: LoadedAgentConfig) => JSON.stringify(others)
  return rest(started) !== rest(now)
}
