import { execFile, spawn } from 'node:child_process'
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
} from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)
/** Kept between runs: the bare Debian, what apt and npm downloaded. */
const cache = fileURLToPath(new URL('../../.cache/deploy/', import.meta.url))
const bareDebian = join(cache, 'bookworm.tar')
/** What a host has before the playbook comes: Debian with Python, and the package sources. */
const hostPackages = 'python3-minimal,python3-apt,ca-certificates,systemd'

export interface Service {
  readonly output: () => string
  readonly hasEnded: () => boolean
  readonly stop: () => Promise<number | null>
}

export interface DebianRoot {
  readonly path: string
  /** Runs a command inside as root (or as the user named); its standard output. */
  readonly run: (command: readonly string[], user?: string) => Promise<string>
  /** From now on only what systemd would leave writable is writable. */
  readonly protect: (writable: readonly string[]) => Promise<void>
  /** Starts what the unit says, as the user it says. */
  readonly startUnit: (unitFile: string) => Promise<Service>
  readonly remove: () => Promise<void>
}

/** A Debian 12 without a running systemd, with this machine's Node in /opt/node. Ends with nothing mounted and nothing left. */
export const createDebianRoot = async (): Promise<DebianRoot> => {
  const folder = mkdtempSync(join(tmpdir(), 'watchpost-debian-'))
  const path = join(folder, 'root')
  const services = new Set<Service>()
  const remove = async (): Promise<void> => {
    await Promise.all([...services].map(service => service.stop()))
    killInside(path)
    // A process that is still dying holds its mount: that one goes when the process is gone.
    for (const mounted of mountsBelow(folder))
      await run('umount', [mounted]).catch(() => run('umount', ['--lazy', mounted]))
    rmSync(folder, { recursive: true, force: true })
  }
  const chroot = async (command: readonly string[], user?: string): Promise<string> => {
    const { stdout } = await run('chroot', [...userSpec(user), path, ...command], { timeout: 120_000 })
    return stdout
  }
  try {
    await unpackDebian(path)
    lendThisMachinesWays(path)
    await mount(['-t', 'proc', 'proc'], join(path, 'proc'))
    for (const [kept, place] of [
      ['archives', 'var/cache/apt/archives'],
      ['npm', 'root/.npm'],
    ] as const) {
      mkdirSync(join(cache, kept, 'partial'), { recursive: true })
      await mount(['--bind', join(cache, kept)], join(path, place))
    }
  } catch (error) {
    await remove()
    throw error
  }
  return {
    path,
    run: chroot,
    remove,
    protect: async writable => {
      const kept = await Promise.all(
        writable.map(async (place, index) => {
          const aside = join(folder, `writable-${index}`)
          await mount(['--bind', join(path, place)], aside)
          return { aside, place }
        }),
      )
      await mount(['--bind', path], path)
      await run('mount', ['-o', 'remount,bind,ro', path])
      await mount(['-t', 'proc', 'proc'], join(path, 'proc'))
      for (const { aside, place } of kept) await mount(['--bind', aside], join(path, place))
      await mount(['-t', 'tmpfs', 'tmpfs'], join(path, 'tmp'))
    },
    startUnit: async unitFile => {
      const unit = readFileSync(join(path, unitFile), 'utf8')
      const all = (key: string) => [...unit.matchAll(new RegExp(`^${key}=(.*)$`, 'gm'))].map(([, value]) => value ?? '')
      for (const before of all('ExecStartPre')) await chroot(before.split(' '))
      const service = startService([...userSpec(all('User')[0]), path, ...(all('ExecStart')[0] ?? '').split(' ')])
      services.add(service)
      return service
    },
  }
}

const userSpec = (user: string | undefined): readonly string[] =>
  user === undefined ? [] : [`--userspec=${user}:${user}`]

const mount = async (what: readonly string[], where: string): Promise<void> => {
  mkdirSync(where, { recursive: true })
  await run('mount', [...what, where])
}

/** What a playbook that was cut off left running in there. */
const killInside = (path: string): void => {
  for (const pid of readdirSync('/proc').filter(name => /^\d+$/.test(name)))
    try {
      const itsRoot = readlinkSync(`/proc/${pid}/root`)
      if (itsRoot === path || itsRoot.startsWith(`${path}/`)) process.kill(Number(pid), 'SIGKILL')
    } catch {
      // It ended meanwhile.
    }
}

/** The innermost first. */
const mountsBelow = (folder: string): readonly string[] =>
  readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map(line => line.split(' ')[4] ?? '')
    .filter(point => point.startsWith(`${folder}/`))
    .reverse()

const unpackDebian = async (path: string): Promise<void> => {
  mkdirSync(path, { recursive: true })
  if (!existsSync(bareDebian)) await downloadDebian()
  await run('tar', ['-C', path, '-xf', bareDebian], { timeout: 300_000 })
}

const downloadDebian = async (): Promise<void> => {
  const { stdout } = await run('apt-get', ['indextargets', '--format', '$(SITE) $(RELEASE) $(COMPONENT)'])
  const mirror = /^(\S+) bookworm main$/m.exec(stdout)?.[1]
  if (!mirror) throw new Error("apt's sources name no mirror of Debian bookworm; add one to /etc/apt/sources.list.d")
  const root = mkdtempSync(join(tmpdir(), 'watchpost-bookworm-'))
  const packages = join(cache, 'packages')
  mkdirSync(packages, { recursive: true })
  try {
    const options = ['--variant=minbase', `--cache-dir=${packages}`, `--include=${hostPackages}`]
    await run('debootstrap', [...options, 'bookworm', root, mirror], { timeout: 1_500_000, maxBuffer: 1 << 26 })
    await run('tar', ['-C', root, '--one-file-system', '-cf', `${bareDebian}.new`, '.'], { timeout: 300_000 })
    renameSync(`${bareDebian}.new`, bareDebian)
  } finally {
    for (const mounted of mountsBelow(root)) await run('umount', [mounted])
    rmSync(root, { recursive: true, force: true })
  }
}

/** Package sources, name resolution, certificates, npm settings and Node: what differs from machine to machine. */
const lendThisMachinesWays = (path: string): void => {
  for (const file of ['/etc/hosts', '/etc/resolv.conf', '/etc/npmrc', '/etc/ssl/certs/ca-certificates.crt'])
    if (existsSync(file)) copyFileSync(file, join(path, file))
  if (existsSync(join(homedir(), '.npmrc'))) copyFileSync(join(homedir(), '.npmrc'), join(path, 'root/.npmrc'))
  rmSync(join(path, 'etc/apt/sources.list'), { force: true })
  for (const source of ['sources.list', 'sources.list.d/debian.sources'])
    if (existsSync(join('/etc/apt', source))) copyFileSync(join('/etc/apt', source), join(path, 'etc/apt', source))
  const settings = '/etc/apt/apt.conf.d'
  for (const name of readdirSync(settings))
    if (/^(\s*Acquire::.*\n)+$/.test(readFileSync(join(settings, name), 'utf8')))
      copyFileSync(join(settings, name), join(path, settings, name))
  const prefix = dirname(dirname(process.execPath))
  for (const part of ['lib/node_modules/npm', 'include/node'])
    if (existsSync(join(prefix, part))) cpSync(join(prefix, part), join(path, 'opt/node', part), { recursive: true })
  mkdirSync(join(path, 'opt/node/bin'), { recursive: true })
  copyFileSync(process.execPath, join(path, 'opt/node/bin/node'))
  for (const name of ['npm', 'npx'])
    cpSync(join(prefix, 'bin', name), join(path, 'opt/node/bin', name), { verbatimSymlinks: true })
}

const startService = (chrootArguments: readonly string[]): Service => {
  const env = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin', LANG: 'C.UTF-8' }
  const child = spawn('chroot', chrootArguments, { env, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-20_000)
    })
  const ended = new Promise<number | null>(resolve => {
    child.once('exit', resolve)
    child.once('error', () => resolve(null))
  })
  return {
    output: () => output,
    hasEnded: () => child.exitCode !== null || child.signalCode !== null,
    stop: async () => {
      child.kill('SIGTERM')
      const tooLate = setTimeout(() => child.kill('SIGKILL'), 20_000)
      return ended.finally(() => clearTimeout(tooLate))
    },
  }
}
