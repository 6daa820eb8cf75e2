import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { type ConfigError, InvalidConfigError } from '@watchpost/shared/config/config-error'
import { deepFreeze } from '@watchpost/shared/config/freeze'
import { validateConfig } from '@watchpost/shared/config/validate-config'
import { AgentConfig } from './agent-config.js'
import { crossCheck } from './cross-checks.js'
import type { LoadedAgentConfig } from './loaded-config.js'
import { migrateConfig } from './migrate-config.js'
import { checkFiles, resolvePaths } from './resolve-paths.js'
import { readSecrets, refuseCredentialsInUrls, refuseInlineSecrets } from './secrets.js'
import { readYaml } from './yaml-document.js'

/** What must be at hand: `run` needs everything, `replay` only the models, `inspect` nothing but the file itself. */
export type ConfigPurpose = 'run' | 'replay' | 'inspect'

export interface LoadOptions {
  readonly purpose?: ConfigPurpose
  readonly environment?: Readonly<Record<string, string | undefined>>
  /** Keys that replace the file's own (the config twin); their errors carry no line. */
  readonly overlay?: Readonly<Record<string, unknown>>
}

/** @throws {InvalidConfigError} with everything that is wrong, each with line, path, the value given and a hint. */
export const loadAgentConfig = (file: string, options: LoadOptions = {}): LoadedAgentConfig => {
  const absolute = resolve(file)
  const document = readYaml(readText(absolute, file))
  const overlay = options.overlay ?? {}
  const migrated = document.errors.length > 0 ? undefined : migrateConfig(document.raw)
  const early = migrated?.errors ?? document.errors
  const located = (errors: readonly ConfigError[]) =>
    errors.map(error => withLine(error, isOverlaid(error.path, overlay) ? undefined : document.lineOf(error.path)))
  if (early.length > 0) throw new InvalidConfigError(file, located(early))
  const raw = { ...(migrated?.raw as Record<string, unknown>), ...overlay }
  const { loaded, errors } = parseAgentConfig(raw, absolute, options)
  if (errors.length > 0) throw new InvalidConfigError(file, inFileOrder(located(errors)))
  return loaded
}

const parseAgentConfig = (
  raw: unknown,
  file: string,
  { purpose = 'run', environment = process.env }: LoadOptions,
): { readonly loaded: LoadedAgentConfig; readonly errors: readonly ConfigError[] } => {
  const { value, errors: schemaErrors } = validateConfig(AgentConfig, raw)
  const config = resolvePaths(value, dirname(file))
  const { secrets, errors: secretErrors } = readSecrets(config, environment)
  const all = [
    ...refuseInlineSecrets(schemaErrors),
    ...crossCheck(config, schemaErrors),
    ...refuseCredentialsInUrls(config),
    ...(purpose === 'run' ? secretErrors : []),
    ...checkFiles(config, { models: purpose !== 'inspect', sources: purpose === 'run', caFile: purpose === 'run' }),
  ]
  const errors = all.filter(({ path }, index) => path === '' || all.findIndex(error => error.path === path) === index)
  const sha256 = createHash('sha256').update(JSON.stringify(value)).digest('hex')
  return { loaded: deepFreeze({ file, config, secrets, sha256 }), errors }
}

const readText = (absolute: string, file: string): string => {
  try {
    return readFileSync(absolute, 'utf8')
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    const message = code === 'ENOENT' ? 'does not exist' : `cannot be read (${code})`
    const hint = `Looked for ${absolute}. Give the agent's configuration with --config FILE.`
    throw new InvalidConfigError(file, [{ path: '', message, hint }], { cause: error })
  }
}

const withLine = (error: ConfigError, line: number | undefined): ConfigError =>
  error.line !== undefined || line === undefined ? error : { ...error, line }

const isOverlaid = (path: string, overlay: Readonly<Record<string, unknown>>): boolean =>
  Object.hasOwn(overlay, path.split(/[.[]/)[0] ?? '')

/** Errors come in the order of the checks; people read a file from top to bottom. */
const inFileOrder = (errors: readonly ConfigError[]): readonly ConfigError[] =>
  errors.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0))
