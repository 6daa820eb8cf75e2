import type { CameraConditions } from './camera-conditions.js'
import { isOnline, silentAfterMs } from './live-agents.js'
import type { CameraPlace, CameraState } from './registry.js'
import type { SavedAgent } from './registry-store.js'

/**
 * A camera as people see it. The agent's health message is the newest word on it; the events say what to do, and
 * stand in while no health has come. Of a camera whose agent is away nothing is known.
 */
export const viewCamera = (
  { camera, site, ward, hotspot }: CameraPlace,
  agents: readonly SavedAgent[],
  conditions: CameraConditions,
  now: number,
): CameraState => {
  const agent = agents.find(each => serves(each, camera.id)) ?? (site.agents.length === 1 ? agents[0] : undefined)
  const agentId = agent?.agentId ?? (site.agents.length === 1 ? site.agents[0]! : null)
  const health = agent?.health?.cameras.find(each => each.cameraId === camera.id)
  return {
    id: camera.id,
    siteId: site.id,
    agentId,
    name: camera.name,
    location: camera.location,
    wardId: ward?.id ?? null,
    hotspotId: hotspot?.id ?? null,
    ...conditionOf(camera.id, agentId, agent, conditions, now),
    fps: health?.fps ?? null,
    // Reckoned back from the arrival, because the agent's clock may be off.
    lastFrameAt:
      health?.lastFrameAgeMs == null || agent?.healthAt == null
        ? null
        : new Date(Math.round(agent.healthAt - health.lastFrameAgeMs)).toISOString(),
    analytics: [...(agent?.reported?.cameras.find(each => each.cameraId === camera.id)?.analytics ?? [])],
  }
}

const serves = (agent: SavedAgent, cameraId: string): boolean =>
  [...(agent.reported?.cameras ?? []), ...(agent.health?.cameras ?? [])].some(each => each.cameraId === cameraId)

const conditionOf = (
  cameraId: string,
  agentId: string | null,
  agent: SavedAgent | undefined,
  conditions: CameraConditions,
  now: number,
): Pick<CameraState, 'condition' | 'conditionHint'> => {
  if (!isOnline(agent, now)) {
    const who = agentId === null ? 'No agent serves this camera yet' : `Agent ${agentId} is not connected`
    return { condition: 'unknown', conditionHint: `${who}.` }
  }
  const active = conditions.activeOf(cameraId)
  const isFresh = agent?.healthAt != null && now - agent.healthAt < silentAfterMs
  const told = isFresh ? agent.health?.cameras.find(each => each.cameraId === cameraId)?.condition : undefined
  const condition = told ?? active[0]?.condition ?? 'unknown'
  return { condition, conditionHint: active.find(each => each.condition === condition)?.hint ?? null }
}
