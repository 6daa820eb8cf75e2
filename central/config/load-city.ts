import { type ConfigError, InvalidConfigError } from '@watchpost/shared/config/config-error'
import { deepFreeze } from '@watchpost/shared/config/freeze'
import { validateConfig } from '@watchpost/shared/config/validate-config'
import type { City } from '../registry/city.js'
import { checkCity } from './check-city.js'
import { parseYaml, readText } from './read-text.js'

/** Reads a city file. Throws `InvalidConfigError` with everything that is wrong in it. */
export const loadCity = (file: string, schema: typeof City): City => {
  const errors: ConfigError[] = []
  const text = readText(file, '', errors)
  const parsed = text === undefined ? undefined : parseYaml(text, errors)
  if (errors.length > 0) throw new InvalidConfigError(file, errors)
  const { value, errors: misfits } = validateConfig(schema, parsed)
  // References are judged only in a city that fits its schema; before that they would only add noise.
  const all = misfits.length > 0 ? misfits : checkCity(value)
  if (all.length > 0) throw new InvalidConfigError(file, all)
  return deepFreeze(value)
}
