import { existsSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { InvalidConfigError } from '@watchpost/shared/config/config-error'
import { type Logger, pino } from 'pino'
import { readPassword } from './api/ioc/read-password.js'
import { openSqliteUsers } from './api/ioc/sqlite/user-store.js'
import { runUserCommand, userUsage } from './api/ioc/user-command.js'
import { createUsers } from './api/ioc/users.js'
import { dataFiles } from './config/data-files.js'
import { loadCentralConfig } from './config/load-central-config.js'
import { loadCity } from './config/load-city.js'
import type { LoadedCentralConfig } from './config/loaded-central-config.js'
import { City } from './registry/city.js'
import { version } from './version.js'

/** Process concerns only: arguments, signals, exit codes. 0 done, 1 failed, 2 wrong use or configuration. */
const usage = `Usage: watchpost-central <command> --config central.yaml

  run      run central until SIGTERM or SIGINT; SIGHUP reads the city file again
  user     add, list, remove users; set passwords and API tokens (see: watchpost-central user)
  check    check the configuration, the city file and the secrets they name, then exit
  version  print the version
`

export const main = async (parameters: readonly string[]): Promise<number> => {
  const [command, ...rest] = parameters
  if (command === 'version' || command === '--version') return print(`${version}\n`)
  if (command === undefined || command === 'help' || command === '--help') return print(usage)
  if (command === 'user') return user(rest)
  if (command !== 'run' && command !== 'check') return fail(`There is no command "${command}".\n\n${usage}`, 2)
  try {
    const { values } = parseArgs({ args: rest, options: configOption })
    const loaded = loadCentralConfig(values.config ?? 'central.yaml', City)
    return command === 'run' ? await run(loaded) : print(summaryOf(loaded))
  } catch (error) {
    if (error instanceof InvalidConfigError) return fail(`${error.message}\n`, 2)
    if ((error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS'))
      return fail(`${(error as Error).message}\n\n${usage}`, 2)
    return fail(`central could not run: ${(error as Error).message}\n`, 1)
  }
}

const user = async (rest: readonly string[]): Promise<number> => {
  if (rest.length === 0) return fail(userUsage, 2)
  // The room reads the rest; only the configuration is ours.
  const { values } = parseArgs({ args: [...rest], options: configOption, strict: false })
  try {
    const { settings, city } = loadCentralConfig(String(values.config ?? 'central.yaml'), City)
    const users = createUsers({ store: openSqliteUsers({ file: dataFiles(settings.dataDir).users }), clock: Date.now })
    const wardIds = city.wards.map(ward => ward.id)
    const ask = () => readPassword(process)
    await runUserCommand(rest, { users, wardIds, readPassword: ask, print }).finally(() => users.close())
    return 0
  } catch (error) {
    return fail(`${(error as Error).message}\n`, error instanceof InvalidConfigError ? 2 : 1)
  }
}

const configOption = { config: { type: 'string', short: 'c' } } as const

const print = (text: string): number => {
  process.stdout.write(text)
  return 0
}
const fail = (text: string, code: number): number => {
  process.stderr.write(text)
  return code
}

const summaryOf = ({ file, settings, city }: LoadedCentralConfig): string => {
  const agents = city.sites.flatMap(site => site.agents).length
  const cameras = city.sites.flatMap(site => site.cameras).length
  const has = `${city.sites.length} sites, ${agents} agents, ${cameras} cameras, ${city.hotspots.length} hotspots, ${city.wards.length} wards`
  return `${file} is fine: ${settings.broker.mode} broker, ${settings.timeseries.kind} time series; ${has}\n`
}

const createLog = (level: string): Logger => {
  const isTerminal = process.stdout.isTTY
  return pino({ level, ...(isTerminal ? { transport: { target: 'pino-pretty' } } : {}) })
}

const run = async (loaded: LoadedCentralConfig): Promise<number> => {
  const log = createLog(loaded.settings.log.level)
  const end = new Promise<number>(resolve => {
    const onSignal = (signal: NodeJS.Signals) => {
      log.info({ signal }, 'Central is stopping')
      resolve(0)
    }
    process.once('SIGTERM', onSignal)
    process.once('SIGINT', onSignal)
    const onFatal = (reason: Error) => {
      log.fatal({ err: reason }, 'Central cannot go on')
      resolve(1)
    }
    fatal = onFatal
  })
  // Only here: the other commands answer without loading all of it.
  const { buildService, defaultAdapters } = await import('./service.js')
  const service = await buildService(loaded, defaultAdapters(loaded, { log, onFatal: reason => fatal(reason) }))
  process.on('SIGHUP', () => reloadCity(loaded, log, service.replaceCity))
  try {
    await service.start()
  } catch (error) {
    log.fatal({ err: error }, 'Central could not start')
    endWithin(longestStopMs, 1, log)
    await service.stop().catch(() => undefined)
    return 1
  }
  log.info({ version, ...service.address() }, 'Central is running')
  const code = await end
  endWithin(longestStopMs, code, log)
  await service.stop()
  return code
}

/** systemd gives 20 s before it kills. */
const longestStopMs = 15_000

/** Something that does not come to its end must not keep a process that has to be started again. */
const endWithin = (ms: number, code: number, log: Logger): void => {
  const late = () => {
    log.fatal({ afterMs: ms }, 'Central did not stop in time; it ends as it is')
    process.exit(code === 0 ? 1 : code)
  }
  setTimeout(late, ms).unref()
}

let fatal: (reason: Error) => void = () => undefined

/** A city file with errors changes nothing: the last good one stays in force. */
const reloadCity = (loaded: LoadedCentralConfig, log: Logger, replace: (city: City) => void): void => {
  try {
    replace(loadCity(loaded.settings.city, City))
    log.info({ file: loaded.settings.city }, 'The city file was read again')
  } catch (error) {
    const isMissing = !existsSync(loaded.settings.city)
    log.error({ err: error, isMissing }, 'The city file has errors; the one before stays in force')
  }
}
