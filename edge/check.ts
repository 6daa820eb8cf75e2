import { accessSync, constants, mkdirSync } from 'node:fs'
import { connect } from 'node:net'
import { type ConfigError, InvalidConfigError } from '@watchpost/shared/config/config-error'
import { pino } from 'pino'
import { silentLog } from './capture/capture-log.js'
import { findFfmpeg } from './capture/ffmpeg-tools.js'
import type { AgentConfig, CameraConfig } from './config/agent-config.js'
import { loadWithDesired } from './config/load-with-desired.js'
import { createInference } from './inference/inference.js'
import { liveFrames } from './live-frames.js'
import { loadModels } from './load-models.js'

export interface Finding {
  readonly isGood: boolean
  readonly subject: string
  readonly message: string
  readonly hint?: string
}

export interface CheckOptions {
  readonly file: string
  /** Also open every camera and knock at the broker. */
  readonly probe: boolean
  readonly onFinding: (finding: Finding) => void
}

const probeTimeoutMs = 20_000
const knockTimeoutMs = 5_000

/** Everything that can be found out before cameras are watched. True when the agent can run. */
export const checkAgent = async ({ file, probe, onFinding }: CheckOptions): Promise<boolean> => {
  let isGood = true
  const tell = (finding: Finding): void => {
    isGood &&= finding.isGood
    onFinding(finding)
  }
  const refuse = (errors: readonly ConfigError[]): void => {
    for (const { line, path, message, given, hint } of errors)
      tell({
        isGood: false,
        subject: `${line === undefined ? '' : `line ${line}, `}${path}`,
        message: `${message}${given === undefined ? '' : ` (given: ${given})`}`,
        ...(hint === undefined ? {} : { hint }),
      })
  }

  const config = loadConfig(file, refuse)
  if (!config) return false
  tell({ isGood: true, subject: file, message: `configuration is sound: ${config.cameras.length} cameras` })
  tell(checkDataDir(config.dataDir))
  tell(await checkFfmpeg())
  await checkModels(config, tell, refuse)
  if (probe) {
    tell(await knock(config.mqtt.url))
    for (const finding of await Promise.all(config.cameras.map(probeCamera))) tell(finding)
  }
  return isGood
}

const loadConfig = (file: string, refuse: (errors: readonly ConfigError[]) => void): AgentConfig | undefined => {
  try {
    const { loaded, errors } = loadWithDesired(file)
    refuse(errors.map(error => ({ ...error, path: `settings from central: ${error.path}` })))
    return loaded.config
  } catch (error) {
    if (!(error instanceof InvalidConfigError)) throw error
    refuse(error.errors)
    return undefined
  }
}

const checkDataDir = (dataDir: string): Finding => {
  try {
    mkdirSync(dataDir, { recursive: true })
    accessSync(dataDir, constants.W_OK)
    return { isGood: true, subject: 'dataDir', message: `${dataDir} can be written to` }
  } catch (error) {
    const hint = `Make it, owned by the user the agent runs as (now ${process.getuid?.() ?? 'unknown'}).`
    return { isGood: false, subject: 'dataDir', message: (error as Error).message, hint }
  }
}

const checkFfmpeg = async (): Promise<Finding> => {
  try {
    const { ffmpeg, version } = await findFfmpeg()
    return { isGood: true, subject: 'ffmpeg', message: `${ffmpeg}, version ${version.join('.')}` }
  } catch (error) {
    return {
      isGood: false,
      subject: 'ffmpeg',
      message: (error as Error).message,
      hint: 'Install it: apt-get install ffmpeg.',
    }
  }
}

/** Opens every package as the agent would, with its golden sample. */
const checkModels = async (
  config: AgentConfig,
  tell: (finding: Finding) => void,
  refuse: (errors: readonly ConfigError[]) => void,
): Promise<void> => {
  const { packages, errors } = await loadModels(config)
  refuse(errors)
  const inference = createInference({ packages: [...packages.values()], workers: 1, log: pino({ level: 'silent' }) })
  try {
    await inference.start()
    for (const [id, { identity }] of packages)
      tell({ isGood: true, subject: `model ${id}`, message: `${identity.id} ${identity.version} answers as it should` })
  } catch (error) {
    tell({ isGood: false, subject: 'models', message: (error as Error).message })
  } finally {
    await inference.stop()
  }
}

const probeCamera = async (camera: CameraConfig): Promise<Finding> => {
  const subject = `camera ${camera.id}`
  const signal = AbortSignal.timeout(probeTimeoutMs)
  try {
    for await (const { width, height } of liveFrames(camera, { signal, log: silentLog }))
      return { isGood: true, subject, message: `shows pictures (analysed at ${width}x${height})` }
    return {
      isGood: false,
      subject,
      message: `showed no picture within ${probeTimeoutMs / 1000} s`,
      hint: 'Check the address, the network and that the camera streams.',
    }
  } catch (error) {
    return { isGood: false, subject, message: (error as Error).message }
  }
}

/** Only the door: signing in under the agent's name would throw out one that runs. */
const knock = async (url: string): Promise<Finding> => {
  const { hostname, port, protocol } = new URL(url)
  const defaults: Readonly<Record<string, number>> = { 'mqtt:': 1883, 'mqtts:': 8883, 'ws:': 80, 'wss:': 443 }
  const number = port === '' ? (defaults[protocol] ?? 1883) : Number(port)
  return new Promise(resolve => {
    const socket = connect({ host: hostname, port: number, timeout: knockTimeoutMs })
    const done = (finding: Omit<Finding, 'subject'>): void => {
      socket.destroy()
      resolve({ subject: 'broker', ...finding })
    }
    const hint = 'Check mqtt.url and the network. The agent would record and keep trying.'
    socket.once('connect', () => done({ isGood: true, message: `${hostname}:${number} accepts connections` }))
    socket.once('timeout', () => done({ isGood: false, message: `${hostname}:${number} does not answer`, hint }))
    socket.once('error', error => done({ isGood: false, message: error.message || String(error), hint }))
  })
}
