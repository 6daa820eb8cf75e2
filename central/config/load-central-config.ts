import { isIP } from 'node:net'
import { dirname, isAbsolute, resolve } from 'node:path'
import { type ConfigError, InvalidConfigError } from '@watchpost/shared/config/config-error'
import { deepFreeze } from '@watchpost/shared/config/freeze'
import { validateConfig } from '@watchpost/shared/config/validate-config'
import type { City } from '../registry/city.js'
import { CentralConfig } from './central-config.js'
import { loadCity } from './load-city.js'
import type { CentralSecrets, LoadedCentralConfig } from './loaded-central-config.js'
import { parseYaml, readNamedSecrets, readText } from './read-text.js'

/**
 * Reads `central.yaml`, the city file and every secret it names. Throws one error that lists everything wrong
 * in all of them; what it returns is frozen and its paths are absolute.
 */
export const loadCentralConfig = (file: string, citySchema: typeof City): LoadedCentralConfig => {
  const errors: ConfigError[] = []
  const text = readText(file, '', errors)
  const parsed = text === undefined ? undefined : parseYaml(text, errors)
  if (errors.length > 0) throw new InvalidConfigError(file, errors)
  const { value, errors: misfits } = validateConfig(CentralConfig, parsed)
  if (misfits.length > 0) throw new InvalidConfigError(file, misfits)
  const settings = withAbsolutePaths(value, dirname(resolve(file)))
  const secrets = readSecrets(settings, errors)
  errors.push(...checkExposure(settings), ...checkProxies(settings))
  const city = tryCity(settings.city, citySchema, errors)
  if (errors.length > 0 || city === undefined) throw new InvalidConfigError(file, errors)
  return Object.freeze({ file: resolve(file), settings: deepFreeze(settings), city, secrets: Object.freeze(secrets) })
}

const withAbsolutePaths = (config: CentralConfig, directory: string): CentralConfig => {
  const absolute = (path: string) => (isAbsolute(path) ? path : resolve(directory, path))
  const optional = <K extends string>(section: Partial<Record<K, string>>, ...keys: K[]) =>
    Object.fromEntries(keys.flatMap(key => (section[key] === undefined ? [] : [[key, absolute(section[key])]])))
  return {
    ...config,
    dataDir: absolute(config.dataDir),
    city: absolute(config.city),
    broker:
      config.broker.mode === 'embedded'
        ? { ...config.broker, ...optional(config.broker, 'credentialsFile') }
        : { ...config.broker, ...optional(config.broker, 'passwordFile', 'caFile') },
    timeseries:
      config.timeseries.kind === 'embedded'
        ? config.timeseries
        : { ...config.timeseries, ...optional(config.timeseries, 'passwordFile', 'tokenFile') },
    evidence: { ...config.evidence, ...optional(config.evidence, 'tokensFile') },
  }
}

const readSecrets = ({ broker, timeseries, evidence }: CentralConfig, errors: ConfigError[]): CentralSecrets => {
  const secret = (file: string | undefined, path: string) =>
    file === undefined ? undefined : readText(file, path, errors)?.trim()
  const named = (file: string | undefined, path: string) =>
    file === undefined ? undefined : readNamedSecrets(file, path, errors)
  const found = {
    ...(broker.mode === 'external'
      ? {
          brokerPassword: secret(broker.passwordFile, 'broker.passwordFile'),
          brokerCa: secret(broker.caFile, 'broker.caFile'),
        }
      : { brokerCredentials: named(broker.credentialsFile, 'broker.credentialsFile') }),
    ...(timeseries.kind === 'influxdb'
      ? {
          influxPassword: secret(timeseries.passwordFile, 'timeseries.passwordFile'),
          influxToken: secret(timeseries.tokenFile, 'timeseries.tokenFile'),
        }
      : {}),
    evidenceTokens: named(evidence.tokensFile, 'evidence.tokensFile'),
  }
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined))
}

const loopback = new Set(['127.0.0.1', '::1', 'localhost'])

/** A broker without passwords must not listen where strangers can reach it. */
const checkExposure = ({ broker }: CentralConfig): readonly ConfigError[] => {
  if (broker.mode !== 'embedded' || broker.credentialsFile !== undefined || loopback.has(broker.host)) return []
  const hint = 'Add broker.credentialsFile (agent:password lines), or listen on 127.0.0.1.'
  return [{ path: 'broker.host', message: 'is reachable from outside without passwords', given: broker.host, hint }]
}

const checkProxies = ({ http }: CentralConfig): readonly ConfigError[] => {
  if (!Array.isArray(http.trustProxy)) return []
  return http.trustProxy.flatMap((given, index) => {
    if (isNetwork(given)) return []
    const hint = 'Write the address that central sees the proxy come from, or a network: 10.0.0.0/8.'
    return [{ path: `http.trustProxy[${index}]`, message: 'is not an address or network', given, hint }]
  })
}

const isNetwork = (text: string): boolean => {
  const [address = '', prefix, ...rest] = text.split('/')
  if (isIP(address) === 0 || rest.length > 0) return false
  if (prefix === undefined) return true
  // Everybody is no proxy: Fastify refuses a length of 0.
  return /^[1-9]\d{0,2}$/.test(prefix) && Number(prefix) <= (isIP(address) === 4 ? 32 : 128)
}

/** The city's errors are reported beside the others, with the setting that names the file in front. */
const tryCity = (file: string, schema: typeof City, errors: ConfigError[]): City | undefined => {
  try {
    return loadCity(file, schema)
  } catch (error) {
    if (!(error instanceof InvalidConfigError)) throw error
    errors.push(...error.errors.map(inner => ({ ...inner, path: `city (${file})${inner.path && `: ${inner.path}`}` })))
    return undefined
  }
}
