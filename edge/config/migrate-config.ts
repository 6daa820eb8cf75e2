import type { ConfigError } from '@watchpost/shared/config/config-error'

export const configVersion = 1

/** One step per released version: `migrations[1]` turns a version 1 file into version 2. */
const migrations: Readonly<Record<number, (raw: Record<string, unknown>) => Record<string, unknown>>> = {}

export interface MigratedConfig {
  readonly raw: unknown
  readonly errors: readonly ConfigError[]
}

/** Brings an older file to the current version in memory; the file itself is left as it is. */
export const migrateConfig = (raw: unknown): MigratedConfig => {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw))
    return refused(
      '',
      'is not a configuration',
      'Expected a YAML file with keys such as version, site, agent, cameras.',
    )
  let current = raw as Record<string, unknown>
  const version = current.version
  if (version === undefined) return refused('version', 'is missing', `Add it: version: ${configVersion}.`)
  if (typeof version !== 'number' || !Number.isInteger(version) || version < 1)
    return refused('version', 'is not a version', `Write it as a whole number: version: ${configVersion}.`)
  if (version > configVersion)
    return refused(
      'version',
      `is ${version}, but this software reads versions up to ${configVersion}`,
      'Update the agent, or use the file that belongs to it.',
    )
  for (let from = version; from < configVersion; from++) current = { ...migrations[from]!(current), version: from + 1 }
  return { raw: current, errors: [] }
}

const refused = (path: string, message: string, hint: string): MigratedConfig => ({
  raw: undefined,
  errors: [{ path, message, hint }],
})
