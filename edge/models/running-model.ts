import type { ModelIdentity } from '../inference/inference-result.js'
import type { ModelPackage } from '../inference/model-package.js'

/** A model of the configuration as it runs now. */
export interface RunningModel {
  /** Its id in the configuration: the one analytics name. */
  readonly slot: string
  /** Where the configuration's own package lies. */
  readonly configuredPath: string
  readonly package: ModelPackage
  /** Null: the configuration's own package. */
  readonly digest: string | null
  /** Those whose analytics name it. */
  readonly cameras: readonly string[]
}

/** By the id in the configuration, or by the id in the package. @throws with the ones there are. */
export const findModel = (running: readonly RunningModel[], id: string): RunningModel => {
  const found = running.find(({ slot }) => slot === id) ?? running.find(one => one.package.manifest.id === id)
  if (found) return found
  const known = running.map(({ slot }) => slot).join(', ')
  throw new Error(`No camera of this agent uses a model "${id}"; it runs ${known || 'none'}.`)
}

/** @throws when one of them does not use the model. */
export const checkCameras = (model: RunningModel, cameras: readonly string[] = []): void => {
  const strangers = cameras.filter(camera => !model.cameras.includes(camera))
  if (strangers.length === 0) return
  const verb = strangers.length === 1 ? 'does' : 'do'
  throw new Error(
    `${strangers.join(', ')} ${verb} not use the model "${model.slot}" at this agent; its cameras are ${model.cameras.join(', ')}.`,
  )
}

/** The same bytes of the same release, also when they were opened twice. */
export const isSameModel = (a: ModelIdentity, b: ModelIdentity): boolean =>
  a.sha256 === b.sha256 && a.version === b.version && a.id === b.id
