import { type ChildProcess, fork } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { compiledModule } from '@watchpost/shared/compiled-module'
import type { Logger } from 'pino'
import type { Broker, BrokerAddress } from '../broker.js'
import type { BrokerCommand, BrokerReport } from './broker-protocol.js'

export interface EmbeddedBrokerOptions {
  readonly host: string
  /** 0: any free one, kept over restarts. */
  readonly port: number
  /** Password by agent; undefined: only loopback may connect, and needs none. */
  readonly credentials?: ReadonlyMap<string, string>
  readonly log: Logger
}

const firstWaitMs = 100
const longestWaitMs = 10_000
/** After a run this long the next death is a new trouble, not the old one going on. */
const steadyMs = 60_000
/** A busy machine needs long to start a process. */
const startTimeoutMs = 60_000

export const createEmbeddedBroker = (options: EmbeddedBrokerOptions): Broker => {
  const { log, host } = options
  const central = {
    username: `central-${randomBytes(4).toString('hex')}`,
    password: randomBytes(24).toString('base64url'),
  }
  const passwordHashes =
    options.credentials === undefined
      ? null
      : Object.fromEntries([...options.credentials].map(([agent, password]) => [agent, sha256(password)]))
  const stopping = new AbortController()
  let port = options.port
  let sites: Readonly<Record<string, string>> = {}
  let child: ChildProcess | undefined
  let trouble: string | null = 'not started'
  let restarts = 0
  let waitMs = firstWaitMs

  const tell = (to: ChildProcess, command: BrokerCommand): void => {
    if (to.connected) to.send(command, () => undefined)
  }

  const onReport = (report: BrokerReport): void => {
    if (report.kind === 'refused')
      log.warn({ clientId: report.clientId, reason: report.reason }, 'The broker refused a client')
  }

  /** Resolves when the process listens, rejects when it ends before. */
  const launch = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const launched = fork(compiledModule(import.meta.url, 'central', './broker-process.js'), {
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
        execArgv: [],
      })
      child = launched
      let failure = 'the broker process ended'
      const timer = setTimeout(() => launched.kill('SIGKILL'), startTimeoutMs)
      launched.on('message', (report: BrokerReport) => {
        onReport(report)
        if (report.kind === 'failed') failure = `${report.reason}${hintFor(report.code, port)}`
        if (report.kind !== 'listening') return
        clearTimeout(timer)
        port = report.port
        trouble = null
        const startedAt = Date.now()
        launched.once('exit', (code, signal) => {
          if (stopping.signal.aborted) return
          if (Date.now() - startedAt > steadyMs) waitMs = firstWaitMs
          trouble = `the broker process ended (${signal ?? code})`
          log.error({ code, signal }, 'The embedded broker ended; it is started again')
          void revive()
        })
        resolve()
      })
      launched.once('error', reject)
      launched.once('exit', () => {
        clearTimeout(timer)
        reject(new Error(`cannot listen on ${host}:${port}: ${failure}`))
      })
      tell(launched, {
        kind: 'listen',
        host,
        port,
        centralUsername: central.username,
        centralPassword: central.password,
        passwordHashes,
        sites,
      })
    })

  const revive = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      await sleep(waitMs * (0.5 + Math.random() / 2), undefined, { signal: stopping.signal }).catch(() => undefined)
      if (stopping.signal.aborted) return
      waitMs = Math.min(longestWaitMs, waitMs * 2)
      restarts++
      const failure = await launch().then(
        () => undefined,
        (error: Error) => error,
      )
      if (failure === undefined) return log.info({ port }, 'The embedded broker listens again')
      trouble = failure.message
      log.error({ err: failure }, 'The embedded broker could not be started')
    }
  }

  return {
    start: async (): Promise<BrokerAddress> => {
      await launch()
      return { url: `mqtt://${connectableHost(host)}:${port}`, ...central }
    },
    setSites: siteOfAgent => {
      sites = Object.fromEntries(siteOfAgent)
      if (child !== undefined) tell(child, { kind: 'sites', sites })
    },
    trouble: () => trouble,
    restarts: () => restarts,
    pid: () => child?.pid,
    stop: async () => {
      stopping.abort()
      trouble = 'stopped'
      const ending = child
      if (ending === undefined || ending.exitCode !== null || ending.signalCode !== null) return
      const ended = new Promise(resolve => ending.once('exit', resolve))
      tell(ending, { kind: 'stop' })
      const killer = setTimeout(() => ending.kill('SIGKILL'), 3000)
      await ended
      clearTimeout(killer)
    },
  }
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
/** One can listen on every address but connect only to one. */
const connectableHost = (host: string): string => {
  if (host === '0.0.0.0') return '127.0.0.1'
  if (host === '::') return '[::1]'
  return host.includes(':') ? `[${host}]` : host
}

const hintFor = (code: string, port: number): string => {
  if (code === 'EADDRINUSE') return `. Port ${port} is taken: stop the other broker, or set broker.port`
  if (code === 'EACCES') return `. Ports below 1024 need privileges: set broker.port`
  if (code === 'EADDRNOTAVAIL') return '. The machine has no such address: correct broker.host'
  return ''
}
