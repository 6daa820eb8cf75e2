import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import type { ConfigError } from '@watchpost/shared/config/config-error'
import type { AgentConfig } from './agent-config.js'
import type { AgentSecrets } from './loaded-config.js'

interface SecretRef {
  readonly path: string
  readonly noun: 'password' | 'token'
  readonly file: string | undefined
  readonly env: string | undefined
  readonly username?: string | undefined
}

/** Reads every secret that the configuration points to. A secret itself is never part of an error. */
export const readSecrets = (
  config: AgentConfig,
  environment: Readonly<Record<string, string | undefined>>,
): { readonly secrets: AgentSecrets; readonly errors: readonly ConfigError[] } => {
  const errors: ConfigError[] = []
  const read = (ref: SecretRef): string | undefined => readSecret(ref, environment, errors)
  const { mqtt, evidence } = config
  const secrets: AgentSecrets = {
    mqttPassword: read({ path: 'mqtt', noun: 'password', ...passwordOf(mqtt) }),
    evidenceToken: read({ path: 'evidence', noun: 'token', file: evidence?.tokenFile, env: evidence?.tokenEnv }),
    cameraPasswords: Object.fromEntries(
      (Array.isArray(config.cameras) ? config.cameras : []).flatMap((camera, index) => {
        if (camera?.source?.kind !== 'rtsp') return []
        const path = `cameras[${index}].source`
        const password = read({ path, noun: 'password', ...passwordOf(camera.source) })
        return password === undefined ? [] : [[camera.id, password]]
      }),
    ),
  }
  return { secrets, errors }
}

interface PasswordSettings {
  readonly username?: string
  readonly passwordFile?: string
  readonly passwordEnv?: string
}

const passwordOf = (section: PasswordSettings | undefined) => ({
  file: section?.passwordFile,
  env: section?.passwordEnv,
  username: section?.username,
})

const readSecret = (
  ref: SecretRef,
  environment: Readonly<Record<string, string | undefined>>,
  errors: ConfigError[],
): string | undefined => {
  const { path, noun, file, env } = ref
  const refuse = (key: string, message: string, hint: string): undefined => {
    errors.push({ path: `${path}.${key}`, message, hint })
  }
  if (file !== undefined && env !== undefined)
    return refuse(`${noun}Env`, `is given beside ${noun}File`, 'Use one of the two.')
  if (noun === 'password' && 'username' in ref) {
    const hasPassword = file !== undefined || env !== undefined
    if (hasPassword && ref.username === undefined)
      return refuse('username', 'is missing', 'A password needs the username it belongs to.')
    if (!hasPassword && ref.username !== undefined)
      return refuse(
        'passwordFile',
        'is missing',
        'Name a file or, as passwordEnv, an environment variable with the password.',
      )
  }
  if (env !== undefined) {
    const value = environment[env]
    if (value) return value
    return refuse(
      `${noun}Env`,
      `names the environment variable ${env}, which is not set`,
      `Set ${env} for the agent's process.`,
    )
  }
  if (file === undefined) return undefined
  try {
    const value = readFileSync(file, 'utf8').trim()
    return value === ''
      ? refuse(`${noun}File`, 'names an empty file', `Write the ${noun} into ${basename(file)}.`)
      : value
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'does not exist' : 'cannot be read by this user'
    return refuse(
      `${noun}File`,
      `names a file that ${reason}`,
      `Looked for ${file}; relative paths start at the configuration file.`,
    )
  }
}

const secretKey = /(^|[._])(password|passwd|passphrase|token|secret|credentials?|apikey)$/i

/** Turns "unknown key" for `password:` and its kin into what the operator has to know. */
export const refuseInlineSecrets = (errors: readonly ConfigError[]): readonly ConfigError[] =>
  errors.map(error => {
    if (error.message !== 'is not a known setting' || !secretKey.test(error.path)) return error
    const isToken = /token$/i.test(error.path)
    const [file, env] = isToken ? ['tokenFile', 'tokenEnv'] : ['passwordFile', 'passwordEnv']
    return {
      path: error.path,
      message: 'is a secret, and secrets are never written in this file',
      hint: `Put it in a file of its own and name that file as ${file}, or name an environment variable as ${env}.`,
    }
  })

/** Addresses are logged and reported, so they must not hold credentials. */
export const refuseCredentialsInUrls = (config: AgentConfig): readonly ConfigError[] => {
  const urls: readonly (readonly [string, string | undefined])[] = [
    ['mqtt.url', config.mqtt?.url],
    ['evidence.url', config.evidence?.url],
    ...(Array.isArray(config.cameras) ? config.cameras : []).map(
      (camera, index) =>
        [
          `cameras[${index}].source.url`,
          camera?.source && 'url' in camera.source ? camera.source.url : undefined,
        ] as const,
    ),
  ]
  return urls.flatMap(([path, url]) =>
    typeof url === 'string' && /^[a-z]+:\/\/[^/]*@/i.test(url)
      ? [
          {
            path,
            message: 'contains credentials',
            given: JSON.stringify(url.replace(/\/\/[^/]*@/, '//***@')),
            hint: 'Take them out of the address; give username and passwordFile (or passwordEnv) instead.',
          },
        ]
      : [],
  )
}
