import { join } from 'node:path'
import { type ConfigError, showGiven } from '@watchpost/shared/config/config-error'
import { decodedFor } from './analytics/create-analytic.js'
import type { AgentConfig } from './config/agent-config.js'
import type { Decoded } from './inference/inference-result.js'
import { loadModelPackage, type ModelPackage } from './inference/model-package.js'
import { readTrustedKeys } from './inference/trusted-keys.js'

export interface LoadedModels {
  /** By the id the configuration gives them. */
  readonly packages: ReadonlyMap<string, ModelPackage>
  readonly errors: readonly ConfigError[]
}

const decodedBy: Readonly<Record<string, Decoded['kind']>> = {
  yolox: 'detections',
  centernet: 'detections',
  grid: 'grid',
  segmentation: 'mask',
  classification: 'classes',
}

/** Opens the packages that are used and checks that each fits the analytics that name it, before any camera is touched. */
export const loadModels = async (config: AgentConfig): Promise<LoadedModels> => {
  const errors: ConfigError[] = []
  const packages = new Map<string, ModelPackage>()
  const used = new Set(config.cameras.flatMap(camera => camera.analytics.map(analytic => analytic.model)))
  const trusted = await readTrustedKeys(config.trustedKeys)
  for (const { index, problem } of trusted.problems)
    errors.push({ path: `trustedKeys[${index}]`, message: problem, given: showGiven(config.trustedKeys[index]) })
  const options = {
    cacheDir: config.modelCacheDir ?? join(config.dataDir, 'models'),
    requireSignatures: config.requireSignatures,
    trustedKeys: trusted.keys,
  }
  for (const [index, { id, path }] of config.models.entries()) {
    if (!used.has(id)) continue
    try {
      packages.set(id, await loadModelPackage(path, options))
    } catch (error) {
      errors.push({ path: `models[${index}]`, message: (error as Error).message, given: showGiven(path) })
    }
  }
  return { packages, errors: [...errors, ...sameModelTwice(packages), ...misfits(config, packages)] }
}

const sameModelTwice = (packages: ReadonlyMap<string, ModelPackage>): readonly ConfigError[] => {
  const ids = [...packages.values()].map(({ manifest }) => manifest.id)
  return ids
    .filter((id, index) => ids.indexOf(id) !== index)
    .map(id => ({ path: 'models', message: `name two packages of the model "${id}"`, hint: 'Keep one of them.' }))
}

const misfits = (config: AgentConfig, packages: ReadonlyMap<string, ModelPackage>): readonly ConfigError[] =>
  config.cameras.flatMap((camera, cameraIndex) =>
    camera.analytics.flatMap((analytic, index) => {
      const model = packages.get(analytic.model)
      const decoder = model?.manifest.decoder.name as string | undefined
      const needed = decodedFor[analytic.kind]
      if (decoder === undefined || decodedBy[decoder] === needed) return []
      return [
        {
          path: `cameras[${cameraIndex}].analytics[${index}].model`,
          message: `names a model that gives ${decodedBy[decoder]}, but ${analytic.kind} reads ${needed}`,
          given: showGiven(analytic.model),
          hint: 'Name a model whose decoder fits this kind of analytic.',
        },
      ]
    }),
  )
