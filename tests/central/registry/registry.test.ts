import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { healthExample, type State, stateExample } from '@watchpost/shared/contracts/agent-status'
import { type CameraHealth, cameraHealthExample } from '@watchpost/shared/contracts/camera-health'
import { observationEnvelopeExample } from '@watchpost/shared/contracts/envelope'
import { reportedExample } from '@watchpost/shared/contracts/twin'
import { commandTopic, parseTopic, replyTopic, topicOf } from '@watchpost/shared/topics'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { CommittedRecord } from '../../../central/ingest/committed-record.js'
import type { City } from '../../../central/registry/city.js'
import { createRegistry } from '../../../central/registry/create-registry.js'
import { ringHolds } from '../../../central/registry/geometry.js'
import type { Registry, RegistryChange } from '../../../central/registry/registry.js'
import { openSqliteRegistryStore } from '../../../central/registry/sqlite/sqlite-registry-store.js'

const named = (text: string) => ({ vi: text, en: text })
const city = (agents: string[]): City => ({
  version: 1,
  name: named('Hue'),
  centre: [107.59, 16.46],
  zoom: 13,
  wards: [
    {
      id: 'west',
      name: named('West'),
      polygon: [
        [107.5, 16.4],
        [107.6, 16.4],
        [107.6, 16.5],
        [107.5, 16.5],
        [107.5, 16.4],
      ],
    },
    {
      id: 'east',
      name: named('East'),
      polygon: [
        [107.6, 16.4],
        [107.7, 16.4],
        [107.7, 16.5],
        [107.6, 16.5],
        [107.6, 16.4],
      ],
    },
  ],
  sites: [
    {
      id: 'an-cuu',
      name: named('An Cuu'),
      agents,
      cameras: [
        { id: 'le-loi-1', name: named('Le Loi 1'), location: [107.55, 16.45] },
        { id: 'le-loi-2', name: named('Le Loi 2'), location: [107.65, 16.45] },
      ],
    },
  ],
  hotspots: [
    {
      id: 'le-loi',
      name: named('Le Loi'),
      location: [107.55, 16.45],
      camera: 'le-loi-1',
      levels: [{ name: named('a'), cm: 10, severity: 'minor' }],
    },
  ],
  water: [],
  roads: [],
})

const address = { siteId: 'an-cuu', agentId: 'an-cuu-1' }
const published: { topic: string; payload: string; retain: boolean }[] = []
let directory: string
let registry: Registry
let nowMs: number
let changes: RegistryChange[]
let greeted: [string, number][]
let brokerAway: boolean

const open = (agents = ['an-cuu-1']) => {
  registry = createRegistry({
    city: city(agents),
    store: openSqliteRegistryStore(join(directory, 'registry.sqlite')),
    publish: async (topic, payload, { retain }) => {
      if (brokerAway) throw new Error('not connected')
      published.push({ topic, payload, retain })
    },
    log: pino({ level: 'silent' }),
    now: () => nowMs,
  })
  changes = []
  greeted = []
  registry.onChange(change => changes.push(change))
  registry.onOnline(({ agentId }, epoch) => greeted.push([agentId, epoch]))
}
const say = (channel: 'state' | 'health' | 'reported', content: unknown, from = address) =>
  registry.onMessage(
    parseTopic(topicOf(from, channel))!,
    Buffer.from(typeof content === 'string' ? content : JSON.stringify(content)),
  )
const state = (change: Partial<State> = {}) => ({ ...stateExample, ...change })
const health = (condition: string, cameraId = 'le-loi-1') => ({
  ...healthExample,
  cameras: [{ ...healthExample.cameras[0]!, cameraId, condition }],
})
const record = (data: Partial<CameraHealth>, cameraId = 'le-loi-1'): CommittedRecord => ({
  position: 1,
  ...address,
  cameraId,
  receivedAt: nowMs,
  envelope: { ...observationEnvelopeExample, type: 'camera-health.v1', data: { ...cameraHealthExample, ...data } },
})
const agent = (id = 'an-cuu-1') => registry.agents().find(each => each.id === id)
const camera = (id = 'le-loi-1') => registry.cameras().find(each => each.id === id)

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'registry-'))
  nowMs = Date.parse('2026-10-27T03:05:00.000Z')
  published.length = 0
  brokerAway = false
  open()
})
afterEach(async () => {
  await registry.stop()
  rmSync(directory, { recursive: true })
})

describe('places', () => {
  it('puts a camera into the ward whose polygon holds it and knows its hotspot', () => {
    expect(registry.camera('le-loi-1')).toMatchObject({
      ward: { id: 'west' },
      hotspot: { id: 'le-loi' },
      site: { id: 'an-cuu' },
    })
    expect(registry.camera('le-loi-2')).toMatchObject({ ward: { id: 'east' }, hotspot: null })
    expect(registry.wardAt([0, 0])).toBeNull()
    expect(registry.camera('nowhere')).toBeUndefined()
  })

  it('tells inside from outside of a ring that is not convex', () => {
    const ring: [number, number][] = [
      [0, 0],
      [4, 0],
      [4, 4],
      [2, 1],
      [0, 4],
      [0, 0],
    ]
    expect(ringHolds(ring, [1, 1])).toBe(true)
    expect(ringHolds(ring, [2, 3])).toBe(false)
  })
})

describe('agents', () => {
  it('is never seen, then online, then offline by its will', () => {
    expect(agent()).toMatchObject({ status: 'never-seen', known: true, lastSeenAt: null })
    say('state', state())
    expect(agent()).toMatchObject({
      status: 'online',
      epoch: stateExample.epoch,
      lastSeenAt: '2026-10-27T03:05:00.000Z',
    })
    say('state', state({ status: 'offline' }))
    expect(agent()).toMatchObject({ status: 'offline' })
    expect(greeted).toEqual([['an-cuu-1', stateExample.epoch]])
  })

  it('does not let an older epoch win', () => {
    say('state', state({ epoch: 2000 }))
    say('state', state({ epoch: 1000, status: 'offline' }))
    expect(agent()).toMatchObject({ status: 'online', epoch: 2000 })
    expect(greeted).toEqual([['an-cuu-1', 2000]])
  })

  it('is online as a replaced gateway whose epoch is lower, at once after the will of the one before', () => {
    say('state', state({ epoch: 2000 }))
    say('state', state({ epoch: 2000, status: 'offline' }))
    say('state', state({ epoch: 1000 }))
    expect(agent()).toMatchObject({ status: 'online', epoch: 1000 })
    expect(greeted.at(-1)).toEqual(['an-cuu-1', 1000])
  })

  it('is online as a replaced gateway whose epoch is lower, after a minute when the one before left no will', () => {
    say('state', state({ epoch: 2000 }))
    nowMs += 61_000
    say('state', state({ epoch: 1000 }))
    expect(agent()).toMatchObject({ status: 'online', epoch: 1000 })
  })

  it('is online with the epoch of its health, also when a will of another epoch comes late', () => {
    const healthOf = (epoch: number) => ({ ...healthExample, outbox: { ...healthExample.outbox, epoch } })
    say('state', state({ epoch: 2000 }))
    say('state', state({ epoch: 1000 }))
    say('health', healthOf(1000))
    expect(agent()).toMatchObject({ status: 'online', epoch: 1000 })
    say('state', state({ epoch: 2000, status: 'offline' }))
    expect(agent()?.status).toBe('offline')
    say('health', healthOf(1000))
    expect(agent()).toMatchObject({ status: 'online', epoch: 1000 })
    say('state', state({ epoch: 900, status: 'offline' }))
    expect(agent()?.status).toBe('online')
  })

  it('counts as offline after a minute of silence', () => {
    say('state', state())
    nowMs += 59_000
    expect(agent()?.status).toBe('online')
    nowMs += 2000
    expect(agent()?.status).toBe('offline')
  })

  it('is online again when it speaks after a will that came late', () => {
    say('state', state())
    say('state', state({ status: 'offline' }))
    say('health', health('ok'))
    expect(agent()).toMatchObject({ status: 'online', outboxSize: 2, deadLetters: 0 })
  })

  it('is remembered over a restart of central', async () => {
    say('state', state())
    say('health', health('ok'))
    say('reported', reportedExample)
    const before = [agent(), camera()]
    await registry.stop()
    open()
    expect([agent(), camera()]).toEqual(before)
  })

  it('counts what does not fit and goes on', () => {
    for (const content of ['{', 'null', '{"status":"online"}', JSON.stringify({ ...stateExample, epoch: 'x' })])
      say('state', content)
    expect(registry.misfits()).toBe(4)
    expect(agent()?.status).toBe('never-seen')
    say('state', '')
    expect(registry.misfits()).toBe(4)
  })

  it('shows an agent the city file does not name, and greets it once it does', () => {
    const stranger = { siteId: 'an-cuu', agentId: 'an-cuu-2' }
    say('state', state(), stranger)
    registry.noteUnknown(stranger)
    expect(registry.isKnown(stranger)).toBe(false)
    expect(agent('an-cuu-2')).toMatchObject({ known: false, status: 'online' })
    expect(greeted).toEqual([])
    registry.replaceCity(city(['an-cuu-1', 'an-cuu-2']))
    expect(agent('an-cuu-2')).toMatchObject({ known: true, status: 'online' })
    expect(greeted).toEqual([['an-cuu-2', stateExample.epoch]])
  })

  it('takes an agent under another site for a stranger', () => {
    expect(registry.isKnown({ siteId: 'kim-long', agentId: 'an-cuu-1' })).toBe(false)
  })
})

describe('cameras', () => {
  it('are unknown while their agent is away', () => {
    expect(camera()).toMatchObject({
      condition: 'unknown',
      conditionHint: 'Agent an-cuu-1 is not connected.',
      agentId: 'an-cuu-1',
    })
  })

  it('take their condition from health and the hint from the event', async () => {
    say('state', state())
    say('health', health('unauthorised'))
    await registry.applyRecords([record({})])
    expect(camera()).toMatchObject({
      condition: 'unauthorised',
      conditionHint: cameraHealthExample.hint,
      fps: 1,
      lastFrameAt: '2026-10-27T03:04:59.580Z',
    })
    say('health', health('ok'))
    expect(camera()).toMatchObject({ condition: 'ok', conditionHint: null })
  })

  it('take their condition from events while no health came, in whatever order those arrive', async () => {
    say('state', state())
    const began = record({ condition: 'covered', phenomenonTime: '2026-10-27T03:00:00.000Z' })
    const ended = record({ condition: 'covered', phase: 'ended', phenomenonTime: '2026-10-27T03:01:00.000Z' })
    await registry.applyRecords([began])
    expect(camera()?.condition).toBe('covered')
    await registry.applyRecords([ended, began])
    expect(camera()?.condition).toBe('unknown')
  })

  it('believe a true end of what a gateway with its clock ahead said had begun, whichever way both came', async () => {
    say('state', state())
    const began = record({ condition: 'covered', phenomenonTime: '2026-10-27T10:00:00.000Z' })
    const ended = record({ condition: 'covered', phase: 'ended', phenomenonTime: '2026-10-27T03:04:00.000Z' })
    await registry.applyRecords([began])
    expect(camera()?.condition).toBe('covered')
    await registry.applyRecords([ended])
    expect(camera()?.condition).toBe('unknown')
    await registry.applyRecords([began, ended])
    expect(camera()?.condition).toBe('unknown')
  })

  it('believe a true end of what an older central saved with a time ahead', async () => {
    await registry.stop()
    const store = openSqliteRegistryStore(join(directory, 'registry.sqlite'))
    const ahead = { since: '2026-10-27T10:00:00.000Z', active: true, message: '', hint: '' }
    store.saveConditions([{ cameraId: 'le-loi-1', condition: 'covered', ...ahead }])
    store.close()
    open()
    say('state', state())
    expect(camera()?.condition).toBe('covered')
    await registry.applyRecords([record({ condition: 'covered', phase: 'ended' })])
    expect(camera()?.condition).toBe('unknown')
  })

  it('know what runs on them', () => {
    say('reported', reportedExample)
    expect(camera()?.analytics).toEqual([{ id: 'flood', kind: 'flood-level', model: 'water-segmentation' }])
  })

  it('tell the listener only when something looks different', async () => {
    say('state', state())
    say('health', health('ok'))
    changes.length = 0
    say('health', { ...health('ok'), eventLoopLagMs: 3 })
    expect(changes).toEqual([])
    say('health', health('frozen'))
    expect(changes).toEqual([{ kind: 'camera', id: 'le-loi-1' }])
  })
})

describe('desired', () => {
  it('counts versions up, publishes retained, and says it again after a reconnection', async () => {
    expect(await registry.setDesired('an-cuu-1', { config: { cameras: [] } })).toMatchObject({ version: 1 })
    brokerAway = true
    expect(await registry.setDesired('an-cuu-1', { config: { cameras: [1] } })).toMatchObject({ version: 2 })
    expect(published).toHaveLength(1)
    brokerAway = false
    registry.repeatDesired()
    expect(published.at(-1)).toMatchObject({ topic: topicOf(address, 'desired'), retain: true })
    expect(JSON.parse(published.at(-1)!.payload)).toMatchObject({ version: 2, config: { cameras: [1] } })
  })

  it('is refused for an agent nobody knows', async () => {
    await expect(registry.setDesired('nobody', {})).rejects.toMatchObject({ name: 'UnknownAgentError' })
  })
})

describe('command', () => {
  const reply = (commandId: string, from = address) =>
    registry.onMessage(
      parseTopic(replyTopic(from, 'snapshot'))!,
      Buffer.from(JSON.stringify({ commandId, at: '2026-10-27T03:05:00.000Z', ok: true })),
    )

  it('resolves with the reply of the agent it was sent to, and of no other', async () => {
    const answer = registry.command('an-cuu-1', 'snapshot', { cameraId: 'le-loi-1' })
    await Promise.resolve()
    expect(published.at(-1)).toMatchObject({ topic: commandTopic(address, 'snapshot'), retain: false })
    const { commandId, cameraId } = JSON.parse(published.at(-1)!.payload)
    expect(cameraId).toBe('le-loi-1')
    reply(commandId, { siteId: 'an-cuu', agentId: 'other' })
    reply(commandId)
    await expect(answer).resolves.toMatchObject({ ok: true, commandId })
  })

  it('times out, is refused for strangers, and fails while the broker is away', async () => {
    await expect(registry.command('an-cuu-1', 'reload', { timeoutMs: 5 })).rejects.toMatchObject({
      name: 'CommandTimeoutError',
    })
    await expect(registry.command('nobody', 'reload')).rejects.toMatchObject({ name: 'UnknownAgentError' })
    brokerAway = true
    await expect(registry.command('an-cuu-1', 'reload')).rejects.toThrow('not connected')
  })
})
