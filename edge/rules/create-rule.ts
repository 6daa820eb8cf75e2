import type { AnalyticConfig } from '../config/agent-config.js'
import { createFloodRule } from './flood-rule.js'
import { createPlumeRule } from './plume-rule.js'
import type { Rule, RuleContext } from './rule.js'
import { createTrafficRule } from './traffic-rule.js'

type Kind = AnalyticConfig['kind']
type Create<K extends Kind> = (config: Extract<AnalyticConfig, { kind: K }>, context: RuleContext) => Rule

const create: { readonly [K in Kind]: Create<K> } = {
  'flood-level': createFloodRule,
  'smoke-flame': createPlumeRule,
  traffic: createTrafficRule,
}

/** Throws with what to change when the configuration contradicts itself. */
export const createRule = (config: AnalyticConfig, context: RuleContext): Rule =>
  (create[config.kind] as Create<Kind>)(config, context)
