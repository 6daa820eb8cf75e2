import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { inspectSqliteOutbox } from '../../edge/outbox/adapters/sqlite-inspect.js'
import { mosquittoBroker, type TestBroker } from '../edge/uplink/brokers.js'
import { connectCentral, type ScriptedCentral } from '../edge/uplink/scripted-central.js'
import { makeSite, type ScriptedSite } from './scripted-site.js'

vi.setConfig({ testTimeout: 600_000 })
const soon = { timeout: 90_000, interval: 100 }
const bin = fileURLToPath(new URL('../../edge/bin/watchpost-edge.js', import.meta.url))

let broker: TestBroker
let central: ScriptedCentral
let site: ScriptedSite
let child: ChildProcess | undefined

beforeEach(async () => {
  broker = await mosquittoBroker()
  await broker.start()
  central = await connectCentral(broker.port, { siteId: 'an-cuu', agentId: 'an-cuu-1' })
  site = makeSite({ brokerPort: broker.port })
})
afterEach(async () => {
  await end('SIGKILL')
  await central.close()
  await broker.close()
})

const run = (): void => {
  child = spawn(process.execPath, [bin, 'run', '--config', site.configFile], { stdio: ['ignore', 'ignore', 'inherit'] })
}
const end = async (signal: NodeJS.Signals): Promise<number | null> => {
  const ending = child
  child = undefined
  if (!ending || ending.exitCode !== null) return ending?.exitCode ?? null
  ending.kill(signal)
  const [code] = (await once(ending, 'exit')) as [number | null]
  return code
}
/** Processes that read this site's clip. */
const ffmpegs = (): number =>
  readdirSync('/proc').filter(pid => {
    if (!/^\d+$/.test(pid)) return false
    try {
      return (
        readlinkSync(`/proc/${pid}/exe`).includes('ffmpeg') &&
        readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(site.folder)
      )
    } catch {
      return false
    }
  }).length

describe('watchpost-edge run', () => {
  it('loses and doubles nothing when it is killed with -9 again and again', async () => {
    for (let round = 0; round < 3; round++) {
      const before = central.committed.size
      run()
      await vi.waitFor(() => expect(central.committed.size).toBeGreaterThan(before + 3), soon)
      // Half of the time with central's acks withheld, so that the outbox is not empty when it dies.
      central.acks = round % 2 === 0
      await end('SIGKILL')
    }
    central.acks = true
    run()
    const before = central.committed.size
    await vi.waitFor(() => expect(central.committed.size).toBeGreaterThan(before + 5), soon)
    expect(await end('SIGTERM')).toBe(0)

    const { status } = inspectSqliteOutbox(join(site.folder, 'data/outbox.db'), 10)
    const seqs = [...central.committed.keys()].sort((a, b) => a - b)
    expect(seqs).toEqual(seqs.map((_, index) => index + 1))
    expect(new Set([...central.committed.values()].map(row => row.id)).size).toBe(seqs.length)
    expect(status.lastSeq - seqs.length).toBeLessThanOrEqual(status.size)
    expect(status.appended).toBe(status.acked + status.deadLetters + status.thinned + status.size)
  })

  it('stops within its bounds on SIGTERM and leaves no ffmpeg behind, also after kill -9 and a new start', async () => {
    run()
    await vi.waitFor(() => expect(central.committed.size).toBeGreaterThan(1), soon)
    expect(ffmpegs()).toBe(1)
    await end('SIGKILL')
    run()
    const before = central.committed.size
    // What the first run left in its outbox may come before the cameras are started.
    await vi.waitFor(() => expect(central.committed.size).toBeGreaterThan(before + 10), soon)
    await vi.waitFor(() => expect(ffmpegs()).toBe(1), soon)
    const startedAt = performance.now()
    expect(await end('SIGTERM')).toBe(0)
    expect(performance.now() - startedAt).toBeLessThan(15_000)
    expect(ffmpegs()).toBe(0)
  })

  it('is refused beside another agent on the same dataDir', async () => {
    run()
    await vi.waitFor(() => expect(central.committed.size).toBeGreaterThan(0), soon)
    // Settings of central that ran once: they are not to blame for another agent.
    writeFileSync(join(site.folder, 'data/desired.json'), JSON.stringify({ version: 3, config: {} }))
    const second = spawn(process.execPath, [bin, 'run', '--config', site.configFile], {
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    let told = ''
    second.stderr.on('data', chunk => {
      told += String(chunk)
    })
    const [code] = (await once(second, 'exit')) as [number]
    expect([code, told]).toEqual([1, expect.stringContaining('in use by another agent')])
    expect(told).not.toContain("Central's last settings")
  })
})
