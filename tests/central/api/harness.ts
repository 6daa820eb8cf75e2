import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AgentView, Role } from '@watchpost/shared/api/incidents'
import { eventEnvelopeExample } from '@watchpost/shared/contracts/envelope'
import { type Event, eventExample } from '@watchpost/shared/contracts/event'
import type { Desired, Reported } from '@watchpost/shared/contracts/twin'
import type { FastifyBaseLogger, LightMyRequestResponse } from 'fastify'
import sharp from 'sharp'
import { createHttpApp } from '../../../central/api/http-app.js'
import type { HttpApp, HttpDeps } from '../../../central/api/http-deps.js'
import { openSqliteUsers } from '../../../central/api/ioc/sqlite/user-store.js'
import { createUsers } from '../../../central/api/ioc/users.js'
import { openDiskEvidence } from '../../../central/evidence/adapters/disk.js'
import { createIncidents } from '../../../central/incidents/incidents.js'
import { openSqliteIncidents } from '../../../central/incidents/sqlite/incident-store.js'
import type { CommittedRecord } from '../../../central/ingest/committed-record.js'
import { createLabels } from '../../../central/labels/labels.js'
import { openSqliteExportLog } from '../../../central/labels/sqlite/export-log.js'
import { openDiskPackages } from '../../../central/models/adapters/disk-packages.js'
import { createModels } from '../../../central/models/create-models.js'
import { openSqliteModelStore } from '../../../central/models/sqlite/sqlite-model-store.js'
import type { CameraState } from '../../../central/registry/registry.js'
import type { SeriesPoint, SeriesValue } from '../../../central/timeseries/time-series-store.js'
import { cameras, cityRegistry } from '../incidents/city.js'
import { rules, startAt } from '../incidents/facts.js'

export const password = 'a long password'
export const agentToken = 'agent-token'

export const publicApi = (change: Partial<HttpDeps['publicApi']> = {}): HttpDeps['publicApi'] => ({
  enabled: true,
  staleAfterSeconds: 300,
  snapshots: true,
  requestsPerMinute: 600,
  ...change,
})

/** Central's HTTP application over real stores; what lies outside the rooms under test is what the test says it is. */
export const startCentral = async (change: Partial<HttpDeps> = {}) => {
  const directory = mkdtempSync(join(tmpdir(), 'central-api-'))
  const world = {
    now: startAt + 60_000,
    /** How far the clock was set back. */
    setBackMs: 0,
    points: [] as SeriesPoint[],
    values: [] as SeriesValue[],
    seriesFails: false,
    conditions: new Map<string, CameraState['condition']>(),
    agents: [agentView('an-cuu-1')],
    siteOfAgent: new Map([['an-cuu-1', 'an-cuu']]),
    reported: new Map<string, Reported>(),
    desired: new Map<string, Desired>(),
    logged: [] as unknown[],
  }
  const clock = () => world.now - world.setBackMs
  const store = openSqliteIncidents({ file: ':memory:' })
  const evidence = openDiskEvidence({
    directory: join(directory, 'evidence'),
    maxBytes: 500_000,
    isNamed: async sha256 => (await store.list({ evidenceSha256: sha256 }, { limit: 1 })).length > 0,
    clock,
  })
  const incidents = createIncidents({
    store,
    registry: cityRegistry,
    evidence,
    clock,
    log: { warn: () => {} },
    ...rules,
  })
  const exportLog = openSqliteExportLog({ file: join(directory, 'label-exports.sqlite') })
  const labels = createLabels({
    verdicts: store.verdicts,
    evidence,
    exportLog,
    scratchDirectory: join(directory, 'label-exports'),
    clock,
    log: { warn: () => {} },
  })
  const users = createUsers({ store: openSqliteUsers({ file: ':memory:' }), clock })
  const cameraStates = (): CameraState[] =>
    cameras.map(({ id, name, location }) => ({
      id,
      siteId: 'an-cuu',
      agentId: 'an-cuu-1',
      name,
      location,
      wardId: cityRegistry.wardAt(location)!.id,
      hotspotId: cityRegistry.camera(id)?.hotspot?.id ?? null,
      condition: world.conditions.get(id) ?? 'ok',
      conditionHint: null,
      fps: 5,
      lastFrameAt: null,
      analytics: [],
    }))
  const registry: HttpDeps['registry'] = {
    ...cityRegistry,
    siteOfAgent: () => world.siteOfAgent,
    cameras: cameraStates,
    agents: () => world.agents,
    command: async (_agentId, name) => ({
      commandId: eventEnvelopeExample.id,
      at: new Date(world.now).toISOString(),
      ok: true,
      result: { name },
    }),
  }
  const models = createModels({
    store: openSqliteModelStore(':memory:'),
    packages: openDiskPackages({ directory: join(directory, 'packages'), maxBytes: 200_000, clock }),
    registry: {
      agents: () => world.agents,
      isKnown: () => true,
      reported: ({ agentId }) => world.reported.get(agentId) ?? null,
      desired: agentId => world.desired.get(agentId),
      setDesired: async (agentId, asked) => {
        if (!world.agents.some(({ id }) => id === agentId))
          throw Object.assign(new Error('unknown'), { name: 'UnknownAgentError' })
        const before = world.desired.get(agentId)
        const version = (before?.version ?? 0) + 1
        const desired = { config: {}, ...before, ...asked, version, at: new Date(world.now).toISOString() }
        world.desired.set(agentId, desired)
        return desired
      },
    },
    clock,
    log: { warn: () => {}, debug: () => {} },
  })
  const http: HttpApp = await createHttpApp({
    http: { trustProxy: false, secureCookies: false },
    publicApi: publicApi(),
    map: {},
    version: '0.1.0',
    evidence,
    evidenceTokens: new Map(['an-cuu-1', 'kim-long-1'].map(agentId => [agentId, agentToken])),
    incidents,
    labels,
    models,
    registry,
    ledger: async () => undefined,
    timeseries: {
      latest: async property => {
        if (world.seriesFails) throw new Error('influx is away')
        return world.points.filter(point => point.property === property)
      },
      query: async () => world.values,
    },
    users,
    clock,
    uptimeMs: () => world.now,
    log: loggerInto(world.logged),
    ...change,
  })
  incidents.onChange(http.incidentChanged)
  evidence.onStored(stored => {
    http.evidenceStored(stored)
    void incidents.evidenceArrived(stored.sha256)
  })
  return {
    ...http,
    directory,
    registry,
    world,
    incidents,
    evidence,
    users,
    models,
    /** Adds a user and returns the headers that speak for them (a token: cheaper than a password's hash each time). */
    signIn: async (role: Role, wardId: string | null = null): Promise<{ authorization: string }> => {
      await users.add({ name: `${role}-1`, role, wardId, password })
      return { authorization: `Bearer ${await users.renewApiToken(`${role}-1`)}` }
    },
    upload: (bytes: Buffer, headers: Record<string, string> = {}, sha256 = sha256Of(bytes)) =>
      http.app.inject({
        method: 'PUT',
        url: `/ingest/v1/evidence/${sha256}`,
        headers: { 'x-watchpost-agent': 'an-cuu-1', authorization: `Bearer ${agentToken}`, ...headers },
        payload: bytes,
      }),
    stop: async (): Promise<void> => {
      await http.close()
      await Promise.all([store.close(), evidence.close(), users.close(), exportLog.close()])
      rmSync(directory, { recursive: true })
    },
  }
}
export type Central = Awaited<ReturnType<typeof startCentral>>

export const agentView = (id: string): AgentView => ({
  id,
  siteId: 'an-cuu',
  known: true,
  status: 'online',
  epoch: 1,
  software: '0.1.0',
  lastSeenAt: null,
  outboxSize: 0,
  oldestAgeMs: null,
  eventLoopLagMs: 1,
  deadLetters: 0,
  configErrors: [],
  models: [],
})

export const sha256Of = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')

export const record = (id: string, change: Partial<Event> = {}, cameraId = 'le-loi-1'): CommittedRecord => ({
  position: 1,
  siteId: 'an-cuu',
  agentId: 'an-cuu-1',
  cameraId,
  receivedAt: startAt + 1000,
  envelope: { ...eventEnvelopeExample, id, data: { ...eventExample, ...change } },
})

/** A picture with fine stripes (as letters are) in its left half and EXIF that names a place. */
export const picture = async (seed = 0): Promise<Buffer> => {
  const [width, height] = [1280, 720]
  const pixels = Buffer.alloc(width * height * 3)
  const row = Buffer.alloc(width * 3, (seed * 40) % 256)
  for (let x = 0; x < width / 2; x++) row.fill((Math.floor(x / 6) % 2) * 255, x * 3, x * 3 + 3)
  for (let y = 0; y < height; y++) row.copy(pixels, y * row.length)
  return sharp(pixels, { raw: { width, height, channels: 3 } })
    .jpeg()
    .withExif({ IFD0: { ImageDescription: 'house number 12' } })
    .toBuffer()
}

export const problemOf = (reply: LightMyRequestResponse) => ({
  status: reply.statusCode,
  mediaType: reply.headers['content-type'],
  ...(reply.json() as { title: string; detail?: string; errors?: { path: string; message: string; hint?: string }[] }),
})

const loggerInto = (lines: unknown[]): FastifyBaseLogger => {
  const write = (...parts: unknown[]) => {
    lines.push(parts)
  }
  const logger = {
    level: 'info',
    fatal: write,
    error: write,
    warn: write,
    info: () => {},
    debug: () => {},
    trace: () => {},
  }
  return Object.assign(logger, { silent: () => {}, child: () => logger }) as unknown as FastifyBaseLogger
}
