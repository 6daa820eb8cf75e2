import { join } from 'node:path'
import { type ConfigError, showGiven } from '@watchpost/shared/config/config-error'
import { decodedFor } from './analytics/create-analytic.js'
import type { AgentConfig } from './config/agent-config.js'
import { decodedKind } from './inference/decoders/decoder-options.js'
import { type LoadOptions, loadModelPackage, type ModelPackage } from './inference/model-package.js'
import { readTrustedKeys } from './inference/trusted-keys.js'
import type { RunningModel } from './models/running-model.js'

export interface LoadedModels {
  /** By the id the configuration gives them. */
  readonly packages: ReadonlyMap<string, ModelPackage>
  readonly errors: readonly ConfigError[]
  /** Packages that stand in the place of the configuration's own, by the same id. */
  readonly digests: ReadonlyMap<string, string>
  /** Why the promoted package, which comes first, could not be opened, by the same id. */
  readonly passedOver: ReadonlyMap<string, string>
}

/** Promoted packages, which come before the configuration's own. */
export interface Overrides {
  /** The best first. Only a question: the configuration may yet be refused. */
  of(slot: string, configuredPath: string): readonly { readonly digest: string; readonly folder: string }[]
  /** Cameras run with this package; `passedOver` says why a promoted one that comes first does not. */
  settle(model: RunningModel, passedOver: string | undefined): void
}
const none: Pick<Overrides, 'of'> = { of: () => [] }

/** Opens the packages that are used and checks that each fits the analytics that name it, before any camera is touched. */
export const loadModels = async (config: AgentConfig, overrides = none): Promise<LoadedModels> => {
  const errors: ConfigError[] = []
  const packages = new Map<string, ModelPackage>()
  const used = new Set(config.cameras.flatMap(camera => camera.analytics.map(analytic => analytic.model)))
  const digests = new Map<string, string>()
  const passedOver = new Map<string, string>()
  const trusted = await readTrustedKeys(config.trustedKeys)
  for (const { index, problem } of trusted.problems)
    errors.push({ path: `trustedKeys[${index}]`, message: problem, given: showGiven(config.trustedKeys[index]) })
  const options = optionsOf(config, trusted.keys)
  for (const [index, { id, path }] of config.models.entries()) {
    if (!used.has(id)) continue
    const promoted = await firstThatOpens(overrides.of(id, path), options)
    if (promoted.reason !== undefined) passedOver.set(id, promoted.reason)
    if (promoted.model && promoted.digest !== null) {
      packages.set(id, promoted.model)
      digests.set(id, promoted.digest)
      continue
    }
    try {
      packages.set(id, await loadModelPackage(path, options))
    } catch (error) {
      errors.push({ path: `models[${index}]`, message: (error as Error).message, given: showGiven(path) })
    }
  }
  return {
    packages,
    digests,
    passedOver,
    errors: [...errors, ...sameModelTwice(packages), ...misfits(config, packages)],
  }
}

const optionsOf = (config: AgentConfig, trustedKeys: LoadOptions['trustedKeys']): LoadOptions => ({
  cacheDir: config.modelCacheDir ?? join(config.dataDir, 'models'),
  requireSignatures: config.requireSignatures,
  ...(trustedKeys === undefined ? {} : { trustedKeys }),
})

/** A promoted package that cannot be opened any more must not keep the agent from starting: the one before it is tried. */
const firstThatOpens = async (choices: ReturnType<Overrides['of']>, options: LoadOptions) => {
  let reason: string | undefined
  for (const { digest, folder } of choices) {
    try {
      return { digest, model: await loadModelPackage(folder, options), reason }
    } catch (error) {
      reason ??= (error as Error).message
    }
  }
  return { digest: null, model: undefined, reason }
}

/** Opens a package that is to stand in the place of a model of the configuration. Rejects with sentences. */
export const loadReplacement = async (config: AgentConfig, slot: string, folder: string): Promise<ModelPackage> => {
  const { keys, problems } = await readTrustedKeys(config.trustedKeys)
  if (problems.length > 0) throw new Error(problems.map(({ problem }) => `trustedKeys: ${problem}`).join(' '))
  const model = await loadModelPackage(folder, optionsOf(config, keys))
  const [misfit] = misfits(config, new Map([[slot, model]]))
  if (misfit) throw new Error(`Package ${folder} does not fit: ${misfit.path} ${misfit.message}.`)
  return model
}

/** Labels the cameras get now and would no longer get; a rule that waits for one of them would never fire again. */
export const missingLabels = (active: ModelPackage, candidate: ModelPackage): readonly string[] => {
  const offered = new Set(reportedLabels(candidate))
  return reportedLabels(active).filter(label => !offered.has(label))
}

const reportedLabels = ({ manifest }: ModelPackage): readonly string[] => {
  const { keep, rename } = manifest.decoder as { keep?: readonly string[]; rename?: Readonly<Record<string, string>> }
  const renamed = manifest.labels.map(label => rename?.[label] ?? label)
  return keep === undefined
    ? renamed
    : renamed.filter((label, i) => keep.includes(label) || keep.includes(manifest.labels[i]!))
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
      const given = model && decodedKind(model.manifest)
      const needed = decodedFor[analytic.kind]
      if (given === undefined || given === needed) return []
      return [
        {
          path: `cameras[${cameraIndex}].analytics[${index}].model`,
          message: `names a model that gives ${given}, but ${analytic.kind} reads ${needed}`,
          given: showGiven(analytic.model),
          hint: 'Name a model whose decoder fits this kind of analytic.',
        },
      ]
    }),
  )
