import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openSqliteUsers } from '../../central/api/ioc/sqlite/user-store.js'
import { createUsers } from '../../central/api/ioc/users.js'
import { dataFiles } from '../../central/config/data-files.js'
import { freePort } from '../helpers/free-port.js'
import { until } from '../helpers/server-process.js'

const bin = fileURLToPath(new URL('../../central/bin/watchpost-central.js', import.meta.url))
const cityOf = (agents: string) => `version: 1
name: { vi: Huế, en: Hue }
centre: [107.59, 16.46]
wards: []
sites: [{ id: an-cuu, name: { vi: a, en: a }, agents: [${agents}], cameras: [] }]
hotspots: []
`
let directory: string
let child: ChildProcess | undefined
let output = ''

const write = (name: string, text: string) => writeFileSync(join(directory, name), text)
const call = (...parameters: string[]) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [bin, ...parameters], {
    encoding: 'utf8',
    cwd: directory,
  })
  return { status, stdout, stderr }
}
const run = async () => {
  output = ''
  child = spawn(process.execPath, [bin, 'run'], { cwd: directory, stdio: ['ignore', 'pipe', 'inherit'] })
  child.stdout!.on('data', chunk => {
    output += chunk
  })
  await until('central runs', () => output.includes('Central is running'), 90_000)
}
const metric = async (port: number, line: string) =>
  (await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()).includes(line)

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'central-main-'))
  write('city.yaml', cityOf('an-cuu-1'))
})
afterEach(async () => {
  if (child && child.exitCode === null && child.signalCode === null) {
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  child = undefined
  rmSync(directory, { recursive: true, force: true })
})

describe('watchpost-central', () => {
  it('checks a configuration: 0 and a summary, or 2 and every error with its hint', () => {
    write('central.yaml', 'version: 1\ndataDir: data\ncity: city.yaml\n')
    expect(call('check', '--config', 'central.yaml')).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('1 agents'),
    })
    write('central.yaml', 'version: 1\ndataDri: data\nhttp: { port: 99999 }\ncity: city.yaml\n')
    const { status, stderr } = call('check', '--config', 'central.yaml')
    expect(status).toBe(2)
    expect(stderr).toContain('Did you mean "dataDir"?')
    expect(stderr).toContain('http.port')
  })

  it('says how it is used', () => {
    expect(call('help')).toMatchObject({ status: 0, stdout: expect.stringContaining('Usage') })
    expect(call('rnu')).toMatchObject({ status: 2, stderr: expect.stringContaining('no command "rnu"') })
    expect(call('run', '--confg', 'x')).toMatchObject({ status: 2, stderr: expect.stringContaining('--confg') })
  })

  it('reads the city file again on SIGHUP, keeps the last good one, and stops cleanly on SIGTERM', {
    timeout: 240_000,
  }, async () => {
    const port = await freePort()
    write(
      'central.yaml',
      `version: 1\ndataDir: data\ncity: city.yaml\nbroker: { mode: embedded, port: 0 }\nhttp: { port: ${port} }\n`,
    )
    await run()
    write('city.yaml', cityOf('an-cuu-1, an-cuu-2'))
    child!.kill('SIGHUP')
    await until('both agents are known', () => metric(port, 'watchpost_agents{status="never-seen",known="true"} 2'))
    write('city.yaml', cityOf('an-cuu-1, an-cuu-1'))
    child!.kill('SIGHUP')
    await until('the error is told', () => output.includes('the one before stays in force'))
    expect(await metric(port, 'watchpost_agents{status="never-seen",known="true"} 2')).toBe(true)
    child!.kill('SIGTERM')
    expect(await once(child!, 'exit')).toEqual([0, null])
  })

  it('ends with 1 and the reason when nothing can be stored any more', { timeout: 240_000 }, async () => {
    const port = await freePort()
    write(
      'central.yaml',
      `version: 1\ndataDir: data\ncity: city.yaml\nbroker: { mode: embedded, port: 0 }\nhttp: { port: ${port} }\n`,
    )
    await run()
    const { users: usersFile, log: logFile } = dataFiles(join(directory, 'data'))
    const users = createUsers({ store: openSqliteUsers({ file: usersFile }), clock: Date.now })
    await users.add({ name: 'viewer', role: 'viewer', wardId: null, password: 'long enough' })
    const authorization = `Bearer ${await users.renewApiToken('viewer')}`
    await users.close()
    const log = new Database(logFile)
    log.exec('DROP TABLE stream')
    log.close()
    const ended = once(child!, 'exit')
    await fetch(`http://127.0.0.1:${port}/api/v1/agents/an-cuu-1/ledger`, { headers: { authorization } }).catch(
      () => undefined,
    )
    expect(await ended).toEqual([1, null])
    expect(output).toMatch(/no such table: stream.*Central cannot go on/)
  })

  it('does not start beside another one on the same data, and says so', { timeout: 240_000 }, async () => {
    write(
      'central.yaml',
      'version: 1\ndataDir: data\ncity: city.yaml\nbroker: { mode: embedded, port: 0 }\nhttp: { port: 0 }\n',
    )
    await run()
    const second = call('run')
    expect(second.status).toBe(1)
    expect(second.stdout).toContain('in use by another central')
  })
})
