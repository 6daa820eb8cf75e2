import type {
  AgentModelView,
  ModelAuditEntry,
  ModelView,
  RolloutBody,
  RolloutView,
  ShadowView,
} from '@watchpost/shared/api/models'
import type { ModelWish } from '@watchpost/shared/contracts/model-rollout'
import type { Desired, Reported } from '@watchpost/shared/contracts/twin'
import type { ParsedTopic } from '@watchpost/shared/topics'
import type { PackageStore } from './package-store.js'

export interface Models {
  /** `reported` and `shadow` messages of agents, as they arrive; others are passed over. */
  onMessage(topic: ParsedTopic, payload: Uint8Array): void
  /** Every model that runs somewhere, with the agents and cameras that run it. */
  list(): readonly ModelView[]
  shadow(id: string): ShadowView
  /** Stores the wish of each agent and publishes it; an agent that is away gets it when it is back. */
  rollOut(id: string, body: RolloutBody, by: string): Promise<RolloutView>
  /** Rejects with `UnknownAgentError`; `expected` is the version it was made on. */
  setDesired(agentId: string, change: Pick<Partial<Desired>, 'config' | 'models'>, by: string): Promise<Desired>
  desired(agentId: string): Desired | undefined
  audit(limit: number): readonly ModelAuditEntry[]
  readonly packages: PackageStore
  /** A package was stored or refused; for the audit. */
  noteUpload(sha256: string, by: string, detail: string): void
  close(): Promise<void>
}

/** What an agent said and what central told it. */
export interface AgentWord {
  readonly agentId: string
  readonly siteId: string
  readonly status: string
  readonly reported: Reported | null
  readonly desired: Desired | undefined
}

/** The models of the agents, newest words; agents that never reported have none. */
export const modelViews = (agents: readonly AgentWord[], packages: PackageStore): readonly ModelView[] => {
  const views = new Map<string, AgentModelView[]>()
  for (const agent of agents)
    for (const model of agent.reported?.models ?? []) {
      const slot = model.slot ?? model.id
      views.set(slot, [...(views.get(slot) ?? []), viewOf(agent, slot, model)])
    }
  return [...views]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([id, ofAgents]) => {
      const named = new Set([id, ...ofAgents.map(({ modelId }) => modelId)])
      const tried = new Set(ofAgents.flatMap(one => [one.digest, one.candidate?.digest, one.previous?.digest]))
      const fitting = packages.list().filter(one => named.has(one.id) || tried.has(one.sha256))
      return { id, agents: ofAgents, packages: [...fitting] }
    })
}

const viewOf = (
  { agentId, siteId, status, reported, desired }: AgentWord,
  slot: string,
  { id, version, sha256, slot: _, ...standing }: Reported['models'][number],
): AgentModelView => ({
  agentId,
  siteId,
  status,
  modelId: id,
  version,
  weightsSha256: sha256,
  cameras: (reported?.cameras ?? [])
    .filter(({ analytics }) => analytics.some(({ model }) => model === slot))
    .map(({ cameraId, name }) => ({ cameraId, name })),
  slot,
  ...standing,
  wish: desired?.models?.find(wish => wish.id === slot || wish.id === id) ?? null,
  problems: (reported?.errors ?? [])
    .filter(({ path }) => path.startsWith('models'))
    .map(({ path, message }) => `${path} ${message}`),
})

/** What an agent is to be told; a string says why it cannot be. Undefined: the wish is taken back. */
export const wishFor = (
  view: AgentModelView,
  { mode, digest, cameras, cpuShare, guard }: RolloutBody,
  { packages, at }: { readonly packages: PackageStore; readonly at: string },
): ModelWish | undefined | string => {
  const id = view.slot ?? view.modelId
  if (mode === 'stop') {
    // An agent drops a candidate with the wish for it; one that came by a command, for what runs.
    if (!view.candidate || view.wish?.digest === view.candidate.digest) return undefined
    return view.digest ? { id, mode: 'active', digest: view.digest, at } : { id, mode: 'configured', at }
  }
  if (mode === 'configured') return { id, mode, at }
  if (mode === 'rollback') {
    if (!view.previous) return 'No model came before the one that runs; there is nothing to go back to.'
    return view.previous.digest === null
      ? { id, mode: 'configured', at }
      : { id, mode: 'active', digest: view.previous.digest, at }
  }
  if (digest === undefined) return 'Say which package: digest is missing.'
  const isAtAgent = [view.digest, view.previous?.digest, view.candidate?.digest].includes(digest)
  if (!packages.find(digest) && !isAtAgent) return `Central has no package ${digest}; upload it first.`
  const own = cameras?.filter(camera => view.cameras.some(({ cameraId }) => cameraId === camera))
  if (own && own.length === 0) return 'None of the cameras named belongs to this agent.'
  return {
    id,
    mode,
    digest,
    at,
    ...(own && mode === 'shadow' ? { cameras: own } : {}),
    ...(cpuShare === undefined ? {} : { cpuShare }),
    ...(guard === undefined ? {} : { guard }),
  }
}
