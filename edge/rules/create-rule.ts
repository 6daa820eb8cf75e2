import type { AnalyticConfig } from '../config/agent-config.js'
import { createFloodRule } from './flood-rule.js'
import { createPlumeRule } from './plume-rule.js'
import type { Rule, RuleContext } from './rule.js'

type Kind = AnalyticConfig['kind']
type Create<K extends Kind> = (config: Extract<AnalyticConfig, { kind: K }>, context: RuleContext) => Rule

const create: { readonly [K in Kind]?: Create<K> } = {
  'flood-level': createFloodRule,
  'smoke-flame': createPlumeRule,
}

/** Throws with what to change when the configuration contradicts itself. */
export const createRule = (config: AnalyticConfig, context: RuleContext): Rule => {
  const createOne = create[config.kind] as Create<Kind> | undefined
  if (!createOne)
    throw new Error(
      `Cannot create the rule of analytic ${config.id} of camera ${context.cameraId}: ${config.kind} is unknown.`,
    )
  return createOne(config, context)
}
