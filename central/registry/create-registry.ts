import type { TSchema } from '@sinclair/typebox'
import { type TypeCheck, TypeCompiler } from '@sinclair/typebox/compiler'
import type { AgentView } from '@watchpost/shared/api/incidents'
import { Health, State } from '@watchpost/shared/contracts/agent-status'
import { CommandReply, Reported } from '@watchpost/shared/contracts/twin'
import type { AgentAddress, ParsedTopic } from '@watchpost/shared/topics'
import { delivery, topicOf } from '@watchpost/shared/topics'
import type { Logger } from 'pino'
import { createCameraConditions } from './camera-conditions.js'
import type { City, Site } from './city.js'
import { createCommands } from './commands.js'
import { createLiveAgents, isOnline, viewAgent } from './live-agents.js'
import { indexPlaces } from './places.js'
import type { PublishDown, Registry, RegistryChange } from './registry.js'
import type { RegistryStore } from './registry-store.js'
import { viewCamera } from './view-camera.js'

export interface RegistryOptions {
  readonly city: City
  readonly store: RegistryStore
  readonly publish: PublishDown
  readonly log: Logger
  /** Unix ms. */
  readonly now?: () => number
}

/** Nobody of this name is in the city file. */
export class UnknownAgentError extends Error {
  override readonly name = 'UnknownAgentError'
}

/** Last words are written so often, not at each message: they are only for the time after a restart. */
const saveEveryMs = 5000

const checks = {
  state: TypeCompiler.Compile(State),
  health: TypeCompiler.Compile(Health),
  reported: TypeCompiler.Compile(Reported),
  reply: TypeCompiler.Compile(CommandReply),
}

export const createRegistry = (options: RegistryOptions): Registry => {
  const { store, log, now = Date.now } = options
  let places = indexPlaces(options.city)
  let changed: (change: RegistryChange) => void = () => undefined
  let online: (address: AgentAddress, epoch: number) => void = () => undefined
  let timer: NodeJS.Timeout | undefined
  const noted = new Set<string>()
  const shown = new Map<string, string>()
  let misfits = 0

  const agents = createLiveAgents(store.agents(), address => places.isKnown(address))
  const conditions = createCameraConditions(store.conditions(), now())
  const commands = createCommands(options.publish)

  const cameraViewsOf = (site: Site) => {
    const serving = site.agents.flatMap(agentId => agents.get({ siteId: site.id, agentId }) ?? [])
    return site.cameras.map(camera => viewCamera(places.cameras.get(camera.id)!, serving, conditions, now()))
  }
  const agentView = (address: AgentAddress) =>
    viewAgent(address, agents.get(address), { known: places.isKnown(address), now: now() })
  const agentViews = () => {
    const known = [...places.siteOfAgent].map(([agentId, siteId]) => ({ siteId, agentId }))
    const strangers = agents.all().filter(agent => !places.isKnown(agent))
    return [...known, ...strangers].map(agentView)
  }

  const announce = (kind: 'camera' | 'agent', id: string, visible: unknown): void => {
    const text = JSON.stringify(visible)
    if (shown.get(`${kind}/${id}`) === text) return
    shown.set(`${kind}/${id}`, text)
    changed({ kind, id })
  }
  const announceCameras = (site: Site | undefined): void => {
    for (const { id, condition, conditionHint, analytics } of site === undefined ? [] : cameraViewsOf(site))
      announce('camera', id, { condition, conditionHint, analytics })
  }
  /** Numbers that move all the time do not count as a change. */
  const announceAgent = (view: AgentView): void => {
    const { oldestAgeMs: _, eventLoopLagMs: __, lastSeenAt: ___, outboxSize, ...rest } = view
    announce('agent', view.id, { ...rest, backlog: Math.ceil(Math.log2((outboxSize ?? 0) + 1)) })
  }
  const announceAll = (): void => {
    for (const site of places.city.sites) announceCameras(site)
    for (const view of agentViews()) announceAgent(view)
  }

  const save = (): void => {
    const dirty = agents.takeDirty()
    if (dirty.length > 0) store.saveAgents(dirty)
  }
  const sweep = (): void => {
    try {
      save()
    } catch (error) {
      log.warn({ err: error }, 'The last words of agents could not be saved; they are saved again with the next ones')
    }
    announceAll()
  }

  const noteUnknown = (address: AgentAddress): void => {
    const key = `${address.siteId}/${address.agentId}`
    if (!agents.touch(address, now()) || noted.has(key)) return
    noted.add(key)
    const hint = 'Add it to the city file and reload (SIGHUP); it keeps its messages until then.'
    log.warn({ ...address, hint }, 'An agent that is not in the city file sends messages')
    announceAgent(agentView(address))
  }

  const read = <S extends TSchema>(check: TypeCheck<S>, topic: ParsedTopic, payload: Uint8Array) => {
    try {
      const value: unknown = JSON.parse(Buffer.from(payload).toString('utf8'))
      if (check.Check(value)) return value
    } catch {
      // counted below, as a message that does not fit
    }
    misfits++
    log.debug({ siteId: topic.siteId, agentId: topic.agentId, channel: topic.channel }, 'A status message does not fit')
    return undefined
  }

  const onMessage = (topic: ParsedTopic, payload: Uint8Array): void => {
    const address = { siteId: topic.siteId, agentId: topic.agentId }
    // An empty payload clears a retained message: the operator forgets an agent.
    if (payload.byteLength === 0) return
    if (topic.channel === 'state') {
      const state = read(checks.state, topic, payload)
      if (state && agents.applyState(address, state, now()) && state.status === 'online' && places.isKnown(address))
        online(address, state.epoch)
    } else if (topic.channel === 'health') {
      const health = read(checks.health, topic, payload)
      if (health) agents.applyHealth(address, health, now())
    } else if (topic.channel === 'reported') {
      const reported = read(checks.reported, topic, payload)
      if (reported) agents.applyReported(address, reported, now())
    } else if (topic.channel === 'reply') {
      const reply = read(checks.reply, topic, payload)
      if (reply) commands.onReply(address, reply)
      return
    }
    if (places.isKnown(address)) {
      announceAgent(agentView(address))
      announceCameras(places.sites.get(address.siteId))
    } else noteUnknown(address)
  }

  const addressOf = (agentId: string): AgentAddress => {
    const siteId = places.siteOfAgent.get(agentId)
    if (siteId === undefined) throw new UnknownAgentError(`no agent "${agentId}" in the city file`)
    return { siteId, agentId }
  }
  const publishDesired = async (agentId: string): Promise<void> => {
    const desired = store.desired(agentId)
    if (desired === undefined) return
    const content = JSON.stringify(desired)
    // While the broker is away it stays in the store; `repeatDesired` says it again.
    await options.publish(topicOf(addressOf(agentId), 'desired'), content, delivery.desired).catch(() => undefined)
  }

  return {
    city: () => places.city,
    camera: cameraId => places.cameras.get(cameraId),
    wardAt: location => places.wardAt(location),
    siteOfAgent: () => places.siteOfAgent,
    cameras: () => places.city.sites.flatMap(cameraViewsOf),
    agents: agentViews,
    isKnown: address => places.isKnown(address),
    noteUnknown,
    onMessage,
    misfits: () => misfits,
    applyRecords: async records => {
      const news = conditions.apply(
        records.filter(({ siteId, cameraId }) => places.cameras.get(cameraId)?.site.id === siteId),
      )
      if (news.length === 0) return
      store.saveConditions(news)
      for (const site of new Set(news.map(({ cameraId }) => places.cameras.get(cameraId)?.site))) announceCameras(site)
    },
    replaceCity: city => {
      const before = places
      places = indexPlaces(city)
      noted.clear()
      for (const agent of agents.all())
        if (places.isKnown(agent) && !before.isKnown(agent) && agent.state && isOnline(agent, now()))
          online(agent, agent.state.epoch)
      announceAll()
    },
    onChange: listener => {
      changed = listener
    },
    onOnline: listener => {
      online = listener
    },
    desired: agentId => store.desired(agentId),
    reported: address => agents.get(address)?.reported ?? null,
    setDesired: async (agentId, change) => {
      addressOf(agentId)
      const before = store.desired(agentId)
      const models = change.models ?? before?.models
      const desired = {
        version: (before?.version ?? 0) + 1,
        at: new Date(now()).toISOString(),
        config: { ...(change.config ?? before?.config) },
        ...(models === undefined ? {} : { models: [...models] }),
      }
      store.saveDesired(agentId, desired)
      await publishDesired(agentId)
      return desired
    },
    repeatDesired: () => {
      for (const agentId of places.siteOfAgent.keys()) void publishDesired(agentId)
    },
    command: async (agentId, name, commandOptions = {}) => commands.send(addressOf(agentId), name, commandOptions),
    start: () => {
      timer = setInterval(sweep, saveEveryMs)
    },
    stop: async () => {
      clearInterval(timer)
      commands.stop()
      save()
      store.close()
    },
  }
}
