import type { AnalyticConfig } from '../config/agent-config.js'
import type { Decoded } from '../inference/inference-result.js'
import type { Analytic, AnalyticContext } from './analytic.js'
import { createFloodAnalytic } from './flood-analytic.js'
import { createPlumeAnalytic } from './plume-analytic.js'
import { createTrafficAnalytic } from './traffic-analytic.js'

type Kind = AnalyticConfig['kind']
type ConfigOf<K extends Kind> = Extract<AnalyticConfig, { kind: K }>
type Create<K extends Kind> = (config: ConfigOf<K>, context: AnalyticContext) => Analytic

const create: { readonly [K in Kind]: Create<K> } = {
  'flood-level': createFloodAnalytic,
  'smoke-flame': createPlumeAnalytic,
  traffic: createTrafficAnalytic,
}

/** Which decoded result each kind reads, so that a model package that does not fit is refused before any camera starts. */
export const decodedFor: { readonly [K in Kind]: Decoded['kind'] } = {
  'flood-level': 'mask',
  'smoke-flame': 'grid',
  traffic: 'detections',
}

/** Throws with what to change when the configuration contradicts itself. */
export const createAnalytic = (config: AnalyticConfig, context: AnalyticContext): Analytic =>
  (create[config.kind] as Create<Kind>)(config, context)
