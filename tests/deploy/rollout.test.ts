import { execFile } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { missingProgram } from '../helpers/missing-program.js'

const run = promisify(execFile)
const ansible = fileURLToPath(new URL('../../deploy/ansible/', import.meta.url))
const host = 'gateway-an-cuu'
const missing =
  ['ansible-playbook', 'openssl', 'unshare'].map(missingProgram).find(reason => reason !== undefined) ??
  (process.getuid?.() === 0 ? undefined : 'only root may lend a playbook an /etc of its own')

let scratch: string
const at = (...path: string[]) => join(scratch, ...path)
const write = (path: string, text: string, mode = 0o644) => {
  mkdirSync(dirname(at(path)), { recursive: true })
  writeFileSync(at(path), text)
  chmodSync(at(path), mode)
}
const read = (path: string) => (existsSync(at(path)) ? readFileSync(at(path), 'utf8') : undefined)

beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'watchpost-rollout-'))
})
afterEach(() => rmSync(scratch, { recursive: true, force: true }))

const settings = () => ({
  ansible_connection: 'local',
  ansible_python_interpreter: '/usr/bin/python3',
  watchpost_root: at('opt'),
  watchpost_user: 'root',
  watchpost_node_bin: dirname(process.execPath),
  watchpost_parts: ['central', 'edge'],
  watchpost_keep_releases: 3,
  watchpost_secrets_dir: at('inventory/secrets'),
  watchpost_broker_host: 'ioc.example.org',
})

/** Plays tasks on this machine, with /etc and /var/lib/misc of the scratch folder in place of its own. */
const play = async (tasks: readonly object[], change: object = {}): Promise<string> => {
  write('play.yml', JSON.stringify([{ hosts: host, gather_facts: false, tasks }]))
  const mounts = ['etc', 'var/lib/misc'].map(path => `mount --bind '${at(path)}' /${path}`).join(' && ')
  const command = [
    'ansible-playbook',
    '-i',
    at('inventory/hosts.yml'),
    '-e',
    JSON.stringify({ ...settings(), ...change }),
  ]
  return run('unshare', ['--mount', 'sh', '-c', `${mounts} && exec "$@"`, 'sh', ...command, at('play.yml')], {
    cwd: ansible,
    env: {
      ...process.env,
      PATH: `${at('bin')}:${process.env.PATH}`,
      ANSIBLE_NOCOLOR: '1',
      ANSIBLE_LOCAL_TEMP: at('local'),
      ANSIBLE_REMOTE_TEMP: at('remote'),
    },
  }).then(
    ({ stdout }) => stdout,
    ({ stdout, stderr }) => Promise.reject(new Error(`ansible-playbook failed: ${stdout}\n${stderr}`)),
  )
}
const failedAt = (task: string) => new RegExp(`${task}\\] \\*+\\nfatal`)
const changesIn = (output: string) => Number(/changed=(\d+)/.exec(output)?.[1])

/** A host with nothing installed; its systemd writes down what it is told, its releases take a configuration that names them. */
const bareHost = () => {
  cpSync('/etc', at('etc'), { recursive: true, verbatimSymlinks: true, filter: source => !source.includes('/ssl/') })
  for (const path of ['var/lib/misc', 'etc/watchpost/secrets', 'etc/watchpost/new', 'opt'])
    mkdirSync(at(path), { recursive: true })
  for (const link of ['secrets', 'ca.crt']) symlinkSync(`../${link}`, at('etc/watchpost/new', link))
  write(
    'bin/systemctl',
    `#!/bin/sh
case "$1 $2" in
show*) printf 'LoadState=loaded\\nActiveState=active\\n' ;;
restart*) [ ! -e '${at('broken')}' ] || exit 1; echo "$*" >>'${at('systemctl.log')}' ;;
esac
`,
    0o755,
  )
  write('inventory/hosts.yml', JSON.stringify({ all: { children: { edge_agents: { hosts: { [host]: {} } } } } }))
  write('inventory/secrets/tls/ca.crt', 'authority')
  write(
    'inventory/group_vars/all.yml',
    JSON.stringify({ watchpost_agent: 'an-cuu-1', watchpost_camera_password: 'camera', watchpost_admin: 'admin' }),
  )
  for (const release of ['watchpost-1', 'watchpost-2'])
    for (const part of ['edge', 'central'])
      write(
        `opt/releases/${release}/${part}/bin/watchpost-${part}.js`,
        `const { readFileSync } = require('node:fs')
         const { dirname, join } = require('node:path')
         const file = process.argv[process.argv.indexOf('--config') + 1]
         const text = readFileSync(file, 'utf8')
         const city = '${part}' === 'central' ? readFileSync(join(dirname(file), 'city.yaml'), 'utf8') : ''
         readFileSync(join(dirname(file), 'ca.crt'))
         if (process.argv[2] === 'check' && (!text.includes('${release}') || city.includes('wrong'))) process.exit(2)`,
      )
}
const restarts = () => (read('systemctl.log') ?? '').trim().split('\n').filter(Boolean)
const current = () => readlinkSync(at('opt/current')).split('/').at(-1)

describe.skipIf(missing !== undefined)(`a rollout${missing === undefined ? '' : ` (${missing})`}`, () => {
  beforeEach(bareHost)

  const agent = (release: string) => play([{ import_role: { name: 'edge_agent' } }], { release_name: release })
  const configure = (text: string) =>
    write(`inventory/files/${host}.yaml`, `${text}\nmodel: ${at('opt')}/current/models/x\n`)

  it('puts nothing in place that the new release refuses, nor restarts anything', { timeout: 300_000 }, async () => {
    configure('for: watchpost-1')
    await agent('watchpost-1')
    expect([current(), restarts()]).toEqual(['watchpost-1', ['restart watchpost-edge']])
    const before = read('etc/watchpost/agent.yaml')
    expect(before).toContain(`${at('opt')}/current/models/x`)
    expect(read('etc/watchpost/new/agent.yaml')).toContain(`${at('opt')}/releases/watchpost-1/models/x`)
    writeFileSync(at(`inventory/files/${host}.yaml`), 'for: nobody\n')
    await expect(agent('watchpost-2')).rejects.toThrow(failedAt('This release takes the configuration'))
    expect(read('etc/watchpost/agent.yaml')).toBe(before)
    expect([current(), restarts()]).toEqual(['watchpost-1', ['restart watchpost-edge']])
    configure('for: watchpost-2')
    await agent('watchpost-2')
    expect(read('etc/watchpost/agent.yaml')).toContain('for: watchpost-2')
    expect([current(), restarts()]).toHaveProperty('1.length', 2)
    expect(current()).toBe('watchpost-2')
  })

  it('that failed before the restart is made good by the next, and only by that', { timeout: 300_000 }, async () => {
    configure('for: watchpost-1')
    await agent('watchpost-1')
    configure('for: watchpost-1 # more')
    write('broken', '')
    await expect(agent('watchpost-1')).rejects.toThrow(failedAt('Runs with what is installed'))
    expect(read('etc/watchpost/agent.yaml')).toContain('# more')
    rmSync(at('broken'))
    await agent('watchpost-1')
    expect(restarts()).toHaveLength(2)
    expect(changesIn(await agent('watchpost-1'))).toBe(0)
    // Back to another release by hand, then the playbook again.
    rmSync(at('opt/current'))
    symlinkSync(at('opt/releases/watchpost-2'), at('opt/current'))
    await agent('watchpost-1')
    expect([current(), restarts().length]).toEqual(['watchpost-1', 3])
  })

  it('of central leaves the running city alone when the new one is wrong', { timeout: 300_000 }, async () => {
    const central = () => play([{ import_role: { name: 'central' } }], { release_name: 'watchpost-1' })
    write('inventory/files/central.yaml', 'for: watchpost-1\n')
    write('inventory/files/city.yaml', 'right\n')
    await central()
    write('inventory/files/city.yaml', 'wrong\n')
    await expect(central()).rejects.toThrow(failedAt('This release takes the configuration'))
    expect(read('etc/watchpost/city.yaml')).toBe('right\n')
    expect(restarts()).toEqual(['restart watchpost-central'])
  })
})

describe.skipIf(missing !== undefined)('the certificate of the broker', () => {
  it('is made again shortly before it ends and when its names change, by the same authority', {
    timeout: 300_000,
  }, async () => {
    write('inventory/hosts.yml', JSON.stringify({ all: { hosts: { [host]: {} } } }))
    for (const path of ['etc', 'var/lib/misc']) mkdirSync(at(path), { recursive: true })
    cpSync('/etc/passwd', at('etc/passwd'))
    cpSync('/etc/ssl/openssl.cnf', at('etc/ssl/openssl.cnf'))
    const make = (names: string) =>
      play([{ include_tasks: join(ansible, 'playbooks/tasks/certificates.yml') }], {
        watchpost_city: 'hue',
        watchpost_broker_san: names,
      })
    const tls = (file: string) => `inventory/secrets/tls/${file}`
    const certificate = () => new X509Certificate(read(tls('broker.crt'))!)
    await make('DNS:ioc.example.org')
    const [authority, first] = [read(tls('ca.crt')), read(tls('broker.crt'))]
    expect(changesIn(await make('DNS:ioc.example.org'))).toBe(0)
    expect(read(tls('broker.crt'))).toBe(first)
    await make('DNS:ioc.example.org,IP:192.0.2.10')
    expect(certificate().subjectAltName).toBe('DNS:ioc.example.org, IP Address:192.0.2.10')
    const sign = ['x509', '-req', '-in', 'broker.csr', '-CA', 'ca.crt', '-CAkey', 'ca.key', '-copy_extensions', 'copy']
    await run('openssl', [...sign, '-days', '59', '-out', 'broker.crt'], { cwd: at('inventory/secrets/tls') })
    await make('DNS:ioc.example.org,IP:192.0.2.10')
    expect(Date.parse(certificate().validTo) - Date.now()).toBeGreaterThan(800 * 86_400_000)
    expect(read(tls('ca.crt'))).toBe(authority)
    expect(certificate().verify(new X509Certificate(authority!).publicKey)).toBe(true)
  })
})
