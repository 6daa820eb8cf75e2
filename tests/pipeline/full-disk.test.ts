import { closeSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { type Agent, buildAgent, openAdapters } from '../../edge/agent.js'
import { loadWithDesired } from '../../edge/config/load-with-desired.js'
import { mosquittoBroker } from '../edge/uplink/brokers.js'
import { connectCentral, type ScriptedCentral } from '../edge/uplink/scripted-central.js'
import { mountSmallDisk } from '../helpers/small-disk.js'
import { makeSite } from './scripted-site.js'

vi.setConfig({ testTimeout: 600_000 })
const soon = { timeout: 90_000, interval: 100 }

let central: ScriptedCentral
let agent: Agent
let disk: string

beforeEach(async context => {
  const small = mountSmallDisk(6144)
  if ('reason' in small) return context.skip(small.reason)
  disk = small.path
  const broker = await mosquittoBroker()
  await broker.start()
  central = await connectCentral(broker.port, { siteId: 'an-cuu', agentId: 'an-cuu-1' })
  const site = makeSite({
    brokerPort: broker.port,
    change: config => {
      config.dataDir = disk
    },
  })
  const running = loadWithDesired(site.configFile)
  const log = pino({ level: 'silent' })
  agent = buildAgent(running, await openAdapters(running.loaded, log), { log, version: '0.1.0' })
  await agent.start()
  return async () => {
    await agent.stop()
    await central.close()
    await broker.close()
  }
})

/** Takes every byte that is left, again and again while SQLite gives some back. */
const fillDisk = (): void => {
  const ballast = openSync(join(disk, 'ballast'), 'a')
  try {
    for (const size of [65_536, 4_096, 512]) {
      try {
        for (;;) writeSync(ballast, Buffer.alloc(size))
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
      }
    }
  } finally {
    closeSync(ballast)
  }
}

describe('an agent whose disk is full', () => {
  it('says so with a hint, keeps what it has, and records again when there is room', async () => {
    await vi.waitFor(() => expect(central.committed.size).toBeGreaterThan(2), soon)
    await vi.waitFor(async () => {
      fillDisk()
      expect((await agent.look()).recorder.problem?.hint).toContain('Free disk space')
    }, soon)
    const { port } = agent.statusAddress()!
    // SQLite may still find room once or twice: the disk is kept full.
    await vi.waitFor(async () => {
      fillDisk()
      const health = await fetch(`http://127.0.0.1:${port}/healthz`)
      expect([health.status, ((await health.json()) as { status: string }).status]).toEqual([503, 'failing'])
    }, soon)
    expect((await agent.look()).cameras[0]?.condition).toBe('ok')

    // Observations are dropped meanwhile, and counted.
    await vi.waitFor(async () => {
      fillDisk()
      expect((await agent.look()).recorder.dropped['observation.v1']).toBeGreaterThan(1)
    }, soon)
    rmSync(join(disk, 'ballast'))
    await vi.waitFor(async () => expect((await agent.look()).recorder.problem).toBeNull(), soon)
    await vi.waitFor(
      () =>
        expect(
          [...central.committed.values()].some(
            row => row.type === 'event.v1' && row.data.kind === 'data-loss' && (row.data.measure?.value ?? 0) > 0,
          ),
        ).toBe(true),
      soon,
    )
    const seqs = [...central.committed.keys()].sort((a, b) => a - b)
    expect(seqs).toEqual(seqs.map((_, index) => index + 1))
  })
})
