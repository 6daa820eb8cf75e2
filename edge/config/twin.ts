import { Value } from '@sinclair/typebox/value'
import type { ConfigError } from '@watchpost/shared/config/config-error'
import { InvalidConfigError } from '@watchpost/shared/config/config-error'
import type { ModelWish } from '@watchpost/shared/contracts/model-rollout'
import { Desired, type Reported } from '@watchpost/shared/contracts/twin'
import type { DesiredStore } from './desired-store.js'
import type { LoadedAgentConfig } from './loaded-config.js'

export interface TwinOptions {
  /** What runs now, and the version of central's settings in it (0: none). */
  readonly running: { readonly loaded: LoadedAgentConfig; readonly version: number }
  /** Errors of stored settings that could not be taken at start. */
  readonly errors?: readonly ConfigError[]
  /** Reads the local file again, with central's keys in place of its own. @throws {InvalidConfigError} */
  readonly load: (overlay: Readonly<Record<string, unknown>>) => LoadedAgentConfig
  /** Puts a configuration in force. When it rejects, the one before is in force again. */
  readonly apply: (loaded: LoadedAgentConfig) => Promise<void>
  readonly models: () => Reported['models']
  /** Notes which packages central wants; what cannot be is told by `modelErrors`. Absent: an agent whose models never change. */
  readonly wish?: (wishes: readonly ModelWish[]) => Promise<void>
  readonly modelErrors?: () => Reported['errors']
  readonly store: DesiredStore
  readonly software: string
  readonly log: { info(fields: object, message: string): void; warn(fields: object, message: string): void }
}

export interface Twin {
  /** Central's settings as they came. Settles when they run or were refused; the result is in `report`. Never rejects. */
  desire(payload: unknown): Promise<void>
  /** Reads the local file again, keeping central's settings. Rejects with what is wrong; the last good one stays. */
  reload(): Promise<void>
  report(): Reported
  /** One listener; the report has changed. */
  onChanged(listener: () => void): void
}

/** Central may replace these; everything else belongs to the gateway itself (its broker, its disk, its secrets). */
const remoteKeys: readonly string[] = ['cameras', 'models']

/** Holds what central wants against what runs. A refused version leaves the last good one in force. */
export const createTwin = (options: TwinOptions): Twin => {
  const { load, apply, models, store, software, log } = options
  let { loaded, version } = options.running
  let errors: readonly ConfigError[] = options.errors ?? []
  let judged: number | null = version === 0 ? null : version
  /** What central gave last and runs; the stored one until then. */
  let taken: Readonly<Record<string, unknown>> | undefined
  let queue: Promise<void> = Promise.resolve()
  let onChanged = (): void => {}

  const put = async (next: LoadedAgentConfig): Promise<void> => {
    if (next.sha256 !== loaded.sha256) await apply(next)
    loaded = next
  }

  const take = async (payload: unknown): Promise<void> => {
    if (!Value.Check(Desired, payload)) {
      const first = Value.Errors(Desired, payload).First()
      errors = [{ path: `desired${first?.path ?? ''}`, message: first?.message ?? 'does not fit its schema' }]
      log.warn({ errors }, "Central's settings cannot be read")
      return
    }
    // Retained: the same version comes again with every connection.
    if (payload.version === judged) return
    judged = payload.version
    const foreign = Object.keys(payload.config).filter(key => !remoteKeys.includes(key))
    errors = foreign.map(key => ({
      path: key,
      message: 'cannot be set by central',
      hint: `Central may set ${remoteKeys.join(' and ')}; the rest stands in agent.yaml on the gateway.`,
    }))
    if (errors.length === 0) errors = await attempt(async () => put(load(payload.config)))
    if (errors.length > 0) {
      log.warn({ version: payload.version, errors }, "Central's settings are refused; the last good ones stay")
      return
    }
    taken = payload.config
    // Before the version counts as taken: a crash in between makes central's wish come again.
    errors = await keep(payload)
    if (errors.length > 0) {
      // Central's next word of this version, with the next connection, tries it again.
      judged = null
      log.warn({ version: payload.version, errors }, "Central's settings run, but could not be kept")
      return
    }
    log.info({ version }, "Central's settings are in force")
  }

  const keep = async ({ version: given, config, models: wishes }: Desired): Promise<readonly ConfigError[]> => {
    try {
      await options.wish?.(wishes ?? [])
      version = given
      store.write({ version, config })
      return []
    } catch (error) {
      const message = `The settings run, but could not be stored: ${(error as Error).message}`
      const hint =
        'After a restart the ones before would run. Free disk space on the volume of dataDir; the next connection to the broker stores them.'
      return [{ path: '', message, hint }]
    }
  }

  const inTurn = (work: () => Promise<void>): Promise<void> => {
    const done = queue.then(work).finally(() => onChanged())
    queue = done.catch(() => undefined)
    return done
  }

  return {
    desire: payload => inTurn(() => take(payload)),
    reload: () => inTurn(async () => put(load(taken ?? store.read()?.config ?? {}))),
    report: () => ({
      version,
      at: new Date().toISOString(),
      software,
      configSha256: loaded.sha256,
      cameras: loaded.config.cameras.map(({ id, name, analytics }) => ({
        cameraId: id,
        name,
        analytics: analytics.map(({ id: analyticId, kind, model }) => ({ id: analyticId, kind, model })),
      })),
      models: models(),
      errors: [
        ...errors.map(({ path, message, hint }) => ({ path, message, ...(hint === undefined ? {} : { hint }) })),
        ...(options.modelErrors?.() ?? []),
      ],
    }),
    onChanged(listener) {
      onChanged = listener
    },
  }
}

const attempt = async (work: () => Promise<void>): Promise<readonly ConfigError[]> => {
  try {
    await work()
    return []
  } catch (error) {
    if (error instanceof InvalidConfigError) return error.errors
    return [
      { path: '', message: (error as Error).message, hint: 'The settings are well-formed, but could not be started.' },
    ]
  }
}
