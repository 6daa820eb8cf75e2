import type { AgentView } from '@watchpost/shared/api/incidents'
import type { Health, State } from '@watchpost/shared/contracts/agent-status'
import type { Reported } from '@watchpost/shared/contracts/twin'
import type { AgentAddress } from '@watchpost/shared/topics'
import type { SavedAgent } from './registry-store.js'

/** An agent says something every few seconds; after this much silence it counts as offline, whatever it last said. */
export const silentAfterMs = 60_000
/** Strangers are shown, but must not fill the memory. */
const mostStrangers = 1000

export interface LiveAgents {
  /**
   * False when it was ignored: an older epoch wins only by being online while the newer one is not. A replaced gateway, or one
   * whose outbox was made before its clock was set, has a lower epoch for ever.
   */
  applyState(address: AgentAddress, state: State, now: number): boolean
  applyHealth(address: AgentAddress, health: Health, now: number): void
  applyReported(address: AgentAddress, reported: Reported, now: number): void
  /** Notes that the agent spoke; false when there are too many strangers to remember one more. */
  touch(address: AgentAddress, now: number): boolean
  get(address: AgentAddress): SavedAgent | undefined
  all(): readonly SavedAgent[]
  /** Agents that changed since the last call. */
  takeDirty(): readonly SavedAgent[]
}

const keyOf = ({ siteId, agentId }: AgentAddress): string => `${siteId}/${agentId}`

export const createLiveAgents = (
  saved: readonly SavedAgent[],
  isKnown: (address: AgentAddress) => boolean,
): LiveAgents => {
  const agents = new Map(saved.map(agent => [keyOf(agent), agent]))
  const dirty = new Set<string>()

  const hasRoom = (address: AgentAddress): boolean =>
    isKnown(address) ||
    agents.has(keyOf(address)) ||
    [...agents.values()].filter(agent => !isKnown(agent)).length < mostStrangers

  const update = ({ siteId, agentId }: AgentAddress, change: Partial<SavedAgent>): boolean => {
    const key = keyOf({ siteId, agentId })
    if (!hasRoom({ siteId, agentId })) return false
    const blank = { siteId, agentId, state: null, health: null, reported: null, lastSeenAt: null, healthAt: null }
    agents.set(key, { ...(agents.get(key) ?? blank), ...change })
    dirty.add(key)
    return true
  }

  return {
    applyState: (address, state, now) => {
      const known = agents.get(keyOf(address))
      const isOlder = known?.state != null && known.state.epoch > state.epoch
      if (isOlder && (state.status === 'offline' || isOnline(known, now))) return false
      // A retained `offline` may be days old: it says nothing about when the agent was last heard.
      const lastSeenAt = state.status === 'online' ? now : (known?.lastSeenAt ?? Date.parse(state.at))
      return update(address, { state, lastSeenAt })
    },
    applyHealth: (address, health, now) => {
      const known = agents.get(keyOf(address))
      // Who speaks is online: neither a will published late nor the state of a gateway that was replaced must hide it.
      const state = known?.state && { ...known.state, status: 'online' as const, epoch: health.outbox.epoch }
      update(address, { health, healthAt: now, lastSeenAt: now, ...(state && { state }) })
    },
    applyReported: (address, reported) => {
      update(address, { reported })
    },
    touch: (address, now) => update(address, { lastSeenAt: now }),
    get: address => agents.get(keyOf(address)),
    all: () => [...agents.values()],
    takeDirty: () => {
      const taken = [...dirty].map(key => agents.get(key)!)
      dirty.clear()
      return taken
    },
  }
}

/** Online means: it said so, and it has not gone silent since. */
export const isOnline = (agent: SavedAgent | undefined, now: number): boolean =>
  agent?.state?.status === 'online' && agent.lastSeenAt !== null && now - agent.lastSeenAt < silentAfterMs

export const viewAgent = (
  { siteId, agentId }: AgentAddress,
  agent: SavedAgent | undefined,
  options: { readonly known: boolean; readonly now: number },
): AgentView => ({
  id: agentId,
  siteId,
  known: options.known,
  status: isOnline(agent, options.now) ? 'online' : agent?.lastSeenAt == null ? 'never-seen' : 'offline',
  epoch: agent?.state?.epoch ?? agent?.health?.outbox.epoch ?? null,
  software: agent?.reported?.software ?? agent?.state?.version ?? null,
  lastSeenAt: agent?.lastSeenAt == null ? null : new Date(agent.lastSeenAt).toISOString(),
  outboxSize: agent?.health?.outbox.size ?? null,
  oldestAgeMs: agent?.health?.outbox.oldestAgeMs ?? null,
  eventLoopLagMs: agent?.health?.eventLoopLagMs ?? null,
  deadLetters: agent?.health?.outbox.deadLetters ?? null,
  configErrors: [...(agent?.reported?.errors ?? [])],
  models: [...(agent?.reported?.models ?? [])],
})
