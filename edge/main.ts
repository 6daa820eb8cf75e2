import { once } from 'node:events'
import { createWriteStream, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { createLog } from './agent-log.js'
import type { CameraConfig, SourceConfig } from './config/agent-config.js'
import { loadAgentConfig } from './config/load-agent-config.js'
import { type ConfigWithDesired, loadWithDesired } from './config/load-with-desired.js'
import { maxDeadLetters } from './outbox/outbox.js'
import type { ReplayProgress } from './replay.js'
import { type HelpTopic, help } from './usage.js'

const exitCode = { good: 0, failed: 1, usage: 2 } as const

class UsageError extends Error {}

/**
 * Each command loads what it needs: the state of the outbox can be read on a machine where ffmpeg or a model runtime is
 * broken, and help comes at once.
 */
const load = {
  agent: () => import('./agent.js'),
  check: () => import('./check.js'),
  liveFrames: () => import('./live-frames.js'),
  outbox: () => import('./outbox/adapters/sqlite-inspect.js'),
  recordings: () => import('./capture/replay.js'),
  replay: () => import('./replay.js'),
}

/** `watchpost-edge`: argv, signals, exit code. Returns 0 (good), 1 (failed, the reason is on stderr) or 2 (called wrongly). */
export const main = async (argv: readonly string[]): Promise<number> => {
  const [command, ...rest] = argv
  const commands: Readonly<Record<string, (args: readonly string[]) => Promise<number>>> = {
    run,
    check,
    replay: replayCommand,
    outbox: outboxCommand,
  }
  if (command === '--version' || command === '-v') return say(softwareVersion())
  if (command === undefined || command === 'help' || command.startsWith('-')) {
    const asked = command !== undefined && ['help', '--help', '-h'].includes(command)
    return asked ? say(help('main')) : complain(help('main'))
  }
  const chosen = commands[command]
  if (!chosen) return complain(`watchpost-edge: there is no command "${command}"\n\n${help('main')}`)
  if (rest.includes('--help') || rest.includes('-h')) return say(help(command as HelpTopic))
  try {
    return await chosen(rest)
  } catch (error) {
    const isUsage =
      error instanceof UsageError || String((error as { code?: string }).code).startsWith('ERR_PARSE_ARGS')
    if (isUsage)
      return complain(`watchpost-edge ${command}: ${(error as Error).message}\n\n${help(command as HelpTopic)}`)
    process.stderr.write(`watchpost-edge ${command}: ${messageOf(error)}\n`)
    return exitCode.failed
  }
}

const say = (text: string): number => {
  process.stdout.write(`${text}\n`)
  return exitCode.good
}
const complain = (text: string): number => {
  process.stderr.write(`${text}\n`)
  return exitCode.usage
}
/** An operator wants the sentence, not the stack; but an error of ours without a sentence is a bug and shows where. */
const messageOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  const isOurs = error.name !== 'TypeError' && error.name !== 'ReferenceError' && error.name !== 'RangeError'
  return isOurs ? error.message : (error.stack ?? error.message)
}

const needConfig = (config: string | undefined): string => {
  if (config === undefined) throw new UsageError('--config FILE is missing')
  return config
}

const stopWithinMs = 15_000

const run = async (args: readonly string[]): Promise<number> => {
  const { values } = parseArgs({ args: [...args], options: { config: { type: 'string', short: 'c' } } })
  const file = needConfig(values.config)
  const configured = loadWithDesired(file)
  const log = createLog(configured.loaded.config.log.level)
  if (configured.errors.length > 0)
    log.warn({ errors: configured.errors }, "Central's last settings cannot be taken; the local ones run")
  const { buildAgent, openAdapters } = await load.agent()
  const stopped = signalled()
  const stopping = new AbortController()
  void stopped.then(() => stopping.abort())
  const open = ({ loaded }: ConfigWithDesired) => openAdapters(loaded, log, stopping.signal)
  const start = async (running: ConfigWithDesired, use: Awaited<ReturnType<typeof open>>) => {
    const agent = buildAgent(running, use, { log, version: softwareVersion() })
    await agent.start()
    return agent
  }
  const use = await open(configured).catch(error => {
    if (!stopping.signal.aborted) throw error
  })
  if (!use) return exitCode.good
  const agent = await start(configured, use).catch(async error => {
    if (configured.version === 0 || !mayBeOfSettings(error)) throw error
    log.error(
      { err: error, version: configured.version },
      "Central's last settings cannot be started; the local ones run",
    )
    const errors = [{ path: '', message: messageOf(error) }]
    const local = { loaded: loadAgentConfig(file), version: 0, errors }
    return start(local, await open(local))
  })
  log.info({ agent: configured.loaded.config.agent, version: softwareVersion() }, 'The agent runs')
  const signal = await stopped
  log.info({ signal }, 'Stopping; a second signal stops at once')
  const tooLate = setTimeout(() => {
    log.error('Stopping took too long; what is recorded is safe')
    process.exit(exitCode.failed)
  }, stopWithinMs)
  await agent.stop()
  clearTimeout(tooLate)
  log.info('The agent has stopped')
  return exitCode.good
}

/** A missing ffmpeg and an outbox that cannot be read would keep the local settings from starting as well. */
const mayBeOfSettings = ({ name }: Error): boolean => name !== 'CaptureError' && name !== 'OutboxWriteError'

/** Resolves with the first SIGTERM or SIGINT; the second one ends the process. */
const signalled = (): Promise<string> =>
  new Promise(first => {
    let count = 0
    for (const signal of ['SIGTERM', 'SIGINT'] as const)
      process.on(signal, () => {
        if (++count > 1) process.exit(exitCode.failed)
        first(signal)
      })
  })

const check = async (args: readonly string[]): Promise<number> => {
  const { values } = parseArgs({
    args: [...args],
    options: { config: { type: 'string', short: 'c' }, probe: { type: 'boolean', default: false } },
  })
  const { checkAgent } = await load.check()
  const isGood = await checkAgent({
    file: needConfig(values.config),
    probe: values.probe,
    onFinding: finding => {
      const subject = finding.subject === '' ? '' : `${finding.subject}: `
      process.stdout.write(`${finding.isGood ? 'ok   ' : 'ERROR'} ${subject}${finding.message}\n`)
      if (finding.hint) process.stdout.write(`      → ${finding.hint}\n`)
    },
  })
  return isGood ? exitCode.good : exitCode.failed
}

const progressEveryMs = 2_000

const replayCommand = async (args: readonly string[]): Promise<number> => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      source: { type: 'string', short: 's' },
      config: { type: 'string', short: 'c' },
      camera: { type: 'string' },
      out: { type: 'string', short: 'o', default: '-' },
      start: { type: 'string', default: '2026-01-01T00:00:00Z' },
      fps: { type: 'string' },
      seconds: { type: 'string' },
      evidence: { type: 'string' },
      tracks: { type: 'string' },
      quiet: { type: 'boolean', default: false },
    },
  })
  const { config } = loadAgentConfig(needConfig(values.config), { purpose: 'replay' })
  if (values.source === undefined) throw new UsageError('--source FILE is missing')
  const startedAt = Date.parse(values.start)
  if (Number.isNaN(startedAt)) throw new UsageError(`--start ${values.start} is no time such as 2026-10-27T03:00:00Z`)
  const stopping = new AbortController()
  void signalled().then(() => stopping.abort())
  if (values.seconds !== undefined) setTimeout(() => stopping.abort(), number('seconds', values.seconds) * 1000).unref()
  const log = createLog(values.quiet ? 'error' : 'warn')
  const { signal } = stopping
  const { liveFrames } = await load.liveFrames()
  const { replayFrames, replaySource } = await load.recordings()
  const { replay } = await load.replay()
  const live = liveSource(values.source)
  const source = live ?? withFps(replaySource(resolve(values.source)), values.fps)
  const frames = (camera: CameraConfig) =>
    live ? liveFrames(camera, { signal, log }) : replayFrames(source, camera, { startedAt, signal })

  const out = await openLines(values.out)
  const tracks = values.tracks === undefined ? undefined : await openLines(values.tracks)
  let shownAt = Date.now()
  const show = ({ frames: count, playedMs, observations, events }: ReplayProgress): void => {
    process.stderr.write(
      `${(playedMs / 1000).toFixed(1)} s replayed: ${count} frames, ${observations} observations, ${events} events\n`,
    )
  }
  const total = await replay({
    config,
    cameraId: values.camera,
    source,
    frames,
    evidenceDir: values.evidence === undefined ? undefined : resolve(values.evidence),
    write: out.write,
    ...(tracks ? { writeTracks: tracks.write } : {}),
    onProgress: progress => {
      if (values.quiet || Date.now() - shownAt < progressEveryMs) return
      shownAt = Date.now()
      show(progress)
    },
    log,
  })
  await out.end()
  await tracks?.end()
  if (!values.quiet) show(total)
  return exitCode.good
}

/** Lines to a file, or to standard output for `-`. */
const openLines = async (file: string) => {
  const out = file === '-' ? process.stdout : createWriteStream(file)
  if (file !== '-') await once(out, 'open')
  return {
    async write(line: string): Promise<void> {
      if (!out.write(line)) await once(out, 'drain')
    },
    async end(): Promise<void> {
      if (file !== '-') await new Promise<void>(done => void out.end(() => done()))
    },
  }
}

const number = (name: string, text: string): number => {
  const value = Number(text)
  if (!(value > 0)) throw new UsageError(`--${name} ${text} is no number above 0`)
  return value
}

const withFps = (source: SourceConfig, fps: string | undefined): SourceConfig =>
  source.kind === 'folder' && fps !== undefined ? { ...source, fps: number('fps', fps) } : source

/** An address instead of a file: the stream is taken as it comes, with the wall clock. */
const liveSource = (source: string): SourceConfig | undefined => {
  if (/^rtsps?:\/\//.test(source)) return { kind: 'rtsp', url: source, transport: 'tcp' }
  return /^https?:\/\//.test(source) ? { kind: 'mjpeg', url: source } : undefined
}

const outboxCommand = async (args: readonly string[]): Promise<number> => {
  const { values, positionals } = parseArgs({
    args: [...args],
    options: { config: { type: 'string', short: 'c' }, json: { type: 'boolean', default: false } },
    allowPositionals: true,
  })
  const [what, ...others] = positionals
  if (!['status', 'dead-letters', 'clear-dead-letters'].includes(what ?? '') || others.length > 0)
    throw new UsageError('say what to do: status, dead-letters or clear-dead-letters')
  const { config } = loadAgentConfig(needConfig(values.config), { purpose: 'inspect' })
  const { clearDeadLetters, inspectSqliteOutbox } = await load.outbox()
  const outboxFile = join(config.dataDir, 'outbox.db')
  if (what === 'clear-dead-letters') {
    const cleared = clearDeadLetters(outboxFile)
    return say(values.json ? JSON.stringify({ agent: config.agent, cleared }) : `${cleared} dead letters cleared.`)
  }
  const { status, deadLetters } = inspectSqliteOutbox(outboxFile, maxDeadLetters)
  if (what === 'status') {
    const text = Object.entries(status).map(([name, value]) => `${name.padEnd(16)} ${value ?? '-'}`)
    return say(values.json ? JSON.stringify({ agent: config.agent, ...status }) : text.join('\n'))
  }
  const lines = deadLetters.map(letter =>
    values.json
      ? JSON.stringify(letter)
      : `${letter.rejectedAt}  seq ${letter.envelope.seq}  ${letter.envelope.type}  ${letter.problem.title}${letter.problem.detail ? `: ${letter.problem.detail}` : ''}`,
  )
  return lines.length === 0 && !values.json
    ? say('No dead letters.')
    : lines.length === 0
      ? exitCode.good
      : say(lines.join('\n'))
}

const softwareVersion = (): string => {
  const manifest = new URL(import.meta.url.endsWith('.ts') ? './package.json' : '../package.json', import.meta.url)
  return (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version
}
