import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { mosquittoBroker, type TestBroker } from '../../edge/uplink/brokers.js'
import { missingProgram } from '../../helpers/missing-program.js'
import { freePort } from '../../helpers/free-port.js'
import { until } from '../../helpers/server-process.js'
import { duplicatesIn, judge } from './oracle.js'
import { createProducer, type Producer } from './producer.js'

const central = fileURLToPath(new URL('../../../central', import.meta.url))
const total = 5000

let directory: string
let producer: Producer | undefined
let broker: TestBroker | undefined
let process: ChildProcess | undefined

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'never-lost-'))
})
afterEach(async () => {
  await producer?.close()
  if (process && process.exitCode === null && process.signalCode === null) {
    process.kill('SIGKILL')
    await once(process, 'exit')
  }
  await broker?.close()
  producer = broker = process = undefined
  rmSync(directory, { recursive: true, force: true })
})

const noMosquitto = missingProgram('mosquitto')
describe.skipIf(noMosquitto !== undefined)('central killed between commit and ack', () => {
  it('loses nothing and doubles nothing, five times over', { timeout: 300_000 }, async () => {
    broker = await mosquittoBroker()
    await broker.start()
    const url = `mqtt://127.0.0.1:${broker.port}`
    const file = join(directory, 'log.sqlite')
    const run = (acksBefore: number): ChildProcess => {
      const script = fileURLToPath(new URL('./killed-before-ack.mjs', import.meta.url))
      process = fork(script, [join(central, 'dist'), file, url, String(acksBefore)])
      return process
    }
    // Sends again several times while central starts anew, so that what was committed before a death comes twice.
    producer = createProducer({ url, total, batch: 20, window: 8, resendMs: 100 })
    for (let kill = 0; kill < 5; kill++) {
      const [, signal] = await once(run(2 + kill), 'exit')
      expect(signal).toBe('SIGKILL')
      expect(producer.ackedSeq()).toBeLessThan(total)
    }
    run(Number.MAX_SAFE_INTEGER)
    await producer.done
    process!.kill('SIGKILL')
    await once(process!, 'exit')
    expect(judge(file, producer.claimed)).toEqual({ lost: 0, doubled: 0, foreign: 0 })
    expect(producer.nacks).toEqual([])
    // Each death left a commit that nobody heard of, so its messages came again.
    expect(duplicatesIn(file)).toBeGreaterThan(0)
  })
})

const city = `
version: 1
name: { vi: Huế, en: Hue }
centre: [107.59, 16.46]
wards: []
sites: [{ id: an-cuu, name: { vi: a, en: a }, agents: [an-cuu-1], cameras: [] }]
hotspots: []
`

describe('the whole of central killed with kill -9, its broker with it', () => {
  it('loses nothing and doubles nothing, and leaves no broker behind', { timeout: 420_000 }, async () => {
    const [mqttPort, httpPort] = [await freePort(), await freePort()]
    writeFileSync(join(directory, 'city.yaml'), city)
    const config = join(directory, 'central.yaml')
    const text = `version: 1
dataDir: data
city: city.yaml
broker: { mode: embedded, port: ${mqttPort} }
http: { port: ${httpPort} }
log: { level: warn }
`
    writeFileSync(config, text)
    const start = () => {
      const bin = join(central, 'bin/watchpost-central.js')
      process = spawn(globalThis.process.execPath, [bin, 'run', '--config', config], {
        stdio: ['ignore', 'ignore', 'inherit'],
      })
    }
    producer = createProducer({ url: `mqtt://127.0.0.1:${mqttPort}`, total, batch: 10, window: 4 })
    for (const share of [0.2, 0.5, 0.8]) {
      start()
      await until(`central has ${share} of it`, () => producer!.ackedSeq() >= total * share, 90_000)
      process!.kill('SIGKILL')
      await once(process!, 'exit')
    }
    start()
    await producer.done
    process!.kill('SIGTERM')
    const [code] = await once(process!, 'exit')
    expect(code).toBe(0)
    expect(judge(join(directory, 'data/log.sqlite'), producer.claimed)).toEqual({ lost: 0, doubled: 0, foreign: 0 })
    const { createConnection } = await import('node:net')
    const socket = createConnection(mqttPort, '127.0.0.1')
    await expect(once(socket, 'connect')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })
})
