import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { missingProgram } from '../helpers/missing-program.js'

const run = promisify(execFile)
const folder = fileURLToPath(new URL('../../deploy/ansible/', import.meta.url))
const missing = missingProgram('ansible-playbook')

describe('the Ansible roles', () => {
  let scratch: string
  beforeAll(() => {
    scratch = mkdtempSync(join(tmpdir(), 'watchpost-ansible-'))
  })
  afterAll(() => rmSync(scratch, { recursive: true, force: true }))

  const playbook = (...args: readonly string[]) =>
    run('ansible-playbook', ['-i', 'inventories/example/hosts.yml', ...args, 'playbooks/site.yml'], {
      cwd: folder,
      env: {
        ...process.env,
        ANSIBLE_NOCOLOR: '1',
        ANSIBLE_PIPELINING: '1',
        ANSIBLE_LOCAL_TEMP: join(scratch, 'local'),
      },
    })

  it('have no syntax errors', async ({ skip }) => {
    skip(missing !== undefined, missing)
    await expect(playbook('--syntax-check')).resolves.toMatchObject({ stderr: expect.not.stringContaining('ERROR') })
  })

  it('are clean by ansible-lint', { timeout: 120_000 }, async ({ skip }) => {
    const noLint = missingProgram('ansible-lint')
    skip(noLint !== undefined, noLint)
    const { stderr } = await run('ansible-lint', ['--offline', '--nocolor', '-c', '.ansible-lint'], { cwd: folder })
    expect(stderr).toContain('0 failure(s), 0 warning(s)')
  })

  it('say in check mode what they would change on a Debian host', { timeout: 400_000 }, async ({ skip }) => {
    skip(missing !== undefined, missing)
    skip(process.getuid?.() !== 0, 'check mode reads files that only root may read')
    const archive = join(scratch, 'watchpost-0.0.0-check.tar.gz')
    writeFileSync(join(scratch, 'package.json'), '{}')
    await run('tar', ['-C', scratch, '-czf', archive, 'package.json'])
    const { stdout } = await playbook(
      '--check',
      // All agents at once: that one goes first is not what this test is about.
      ...['-e', '{"watchpost_serial": 10}'],
      ...['-e', 'ansible_connection=local', '-e', 'ansible_python_interpreter=/usr/bin/python3'],
      ...['-e', `watchpost_release_archive=${archive}`, '-e', `watchpost_secrets_dir=${join(scratch, 'secrets')}`],
      ...['-e', `watchpost_node_bin=${join(process.execPath, '..')}`],
    )
    const recap = stdout.slice(stdout.indexOf('PLAY RECAP'))
    for (const host of ['ioc', 'gateway-an-cuu', 'gateway-thuan-hoa', 'gateway-kim-long']) {
      expect(recap).toMatch(new RegExp(`${host} .*unreachable=0 +failed=0`))
    }
  })
})
