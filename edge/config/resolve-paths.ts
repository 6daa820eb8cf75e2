import { accessSync, constants, existsSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type ConfigError, showGiven } from '@watchpost/shared/config/config-error'
import type { AgentConfig, CameraConfig } from './agent-config.js'

/** Makes every path absolute; relative ones start at the folder of the configuration file. */
export const resolvePaths = (config: AgentConfig, baseDir: string): AgentConfig => {
  const at = <K extends string>(section: { readonly [key in K]?: string } | undefined, key: K) =>
    typeof section?.[key] === 'string' ? { [key]: resolve(baseDir, section[key]) } : {}
  const source = (camera: CameraConfig): CameraConfig['source'] => ({
    ...camera.source,
    ...(camera.source.kind === 'file' || camera.source.kind === 'folder' ? at(camera.source, 'path') : {}),
    ...(camera.source.kind === 'rtsp' ? at(camera.source, 'passwordFile') : {}),
  })
  return {
    ...config,
    ...at(config, 'dataDir'),
    ...at(config, 'modelCacheDir'),
    trustedKeys: Array.isArray(config.trustedKeys)
      ? config.trustedKeys.map(key => (isKeyFile(key) ? resolve(baseDir, key) : key))
      : config.trustedKeys,
    mqtt: { ...config.mqtt, ...at(config.mqtt, 'passwordFile'), ...at(config.mqtt, 'caFile') },
    evidence: { ...config.evidence, ...at(config.evidence, 'tokenFile') },
    models: Array.isArray(config.models)
      ? config.models.map(model => ({ ...model, ...at(model, 'path') }))
      : config.models,
    cameras: Array.isArray(config.cameras)
      ? config.cameras.map(camera => (camera?.source ? { ...camera, source: source(camera) } : camera))
      : config.cameras,
  }
}

/** A trusted key stands in the configuration itself or in a file. */
const isKeyFile = (key: unknown): key is string => typeof key === 'string' && !key.startsWith('ed25519:')

export interface FileNeeds {
  readonly models: boolean
  readonly sources: boolean
  readonly caFile: boolean
}

/** Files and folders that must be there before any camera is touched. Expects absolute paths. */
export const checkFiles = (config: AgentConfig, needs: FileNeeds): readonly ConfigError[] => {
  const models = needs.models && Array.isArray(config.models) ? config.models : []
  const cameras = needs.sources && Array.isArray(config.cameras) ? config.cameras : []
  const found = [
    ...models.map(({ path }, index) => mustBe('folder', path, `models[${index}].path`) ?? hasManifest(path, index)),
    ...(needs.models && Array.isArray(config.trustedKeys) ? config.trustedKeys : []).map((key, index) =>
      isKeyFile(key) ? mustBe('file', key, `trustedKeys[${index}]`) : undefined,
    ),
    needs.caFile ? mustBe('file', config.mqtt?.caFile, 'mqtt.caFile') : undefined,
    ...cameras.map((camera: CameraConfig | null, index) =>
      camera?.source?.kind === 'file' || camera?.source?.kind === 'folder'
        ? mustBe(camera.source.kind, camera.source.path, `cameras[${index}].source.path`)
        : undefined,
    ),
  ]
  return found.filter(error => error !== undefined)
}

const hasManifest = (path: string | undefined, index: number): ConfigError | undefined =>
  typeof path !== 'string' || existsSync(join(path, 'manifest.json'))
    ? undefined
    : {
        path: `models[${index}].path`,
        message: 'names a folder without a manifest.json',
        given: showGiven(path),
        hint: 'A model package is the folder that holds manifest.json.',
      }

const mustBe = (kind: 'file' | 'folder', path: string | undefined, at: string): ConfigError | undefined => {
  if (typeof path !== 'string') return undefined
  const refuse = (message: string, hint: string): ConfigError => ({ path: at, message, given: showGiven(path), hint })
  const found = statSync(path, { throwIfNoEntry: false })
  if (!found)
    return refuse(
      `names a ${kind} that does not exist`,
      'Relative paths start at the folder of the configuration file.',
    )
  if (found.isDirectory() !== (kind === 'folder'))
    return refuse(`names a ${kind === 'folder' ? 'file' : 'folder'}`, `A ${kind} is needed here.`)
  try {
    accessSync(path, constants.R_OK)
    return undefined
  } catch {
    return refuse(
      `names a ${kind} that this user may not read`,
      `Give user ${process.getuid?.() ?? ''} the right to read it.`,
    )
  }
}
