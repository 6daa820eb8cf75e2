import { TypeCompiler } from '@sinclair/typebox/compiler'
import type { RolloutView } from '@watchpost/shared/api/models'
import { ShadowReports } from '@watchpost/shared/contracts/shadow-report'
import { Reported } from '@watchpost/shared/contracts/twin'
import type { AgentAddress } from '@watchpost/shared/topics'
import type { Registry } from '../registry/registry.js'
import type { ModelStore } from './model-store.js'
import { type AgentWord, type Models, modelViews, wishFor } from './models.js'
import type { PackageStore } from './package-store.js'

export interface ModelsOptions {
  readonly store: ModelStore
  readonly packages: PackageStore
  readonly registry: Pick<Registry, 'agents' | 'isKnown' | 'reported' | 'desired' | 'setDesired'>
  /** Unix milliseconds. */
  readonly clock: () => number
  readonly log: { warn(fields: object, message: string): void; debug(fields: object, message: string): void }
}

const checks = { reported: TypeCompiler.Compile(Reported), shadow: TypeCompiler.Compile(ShadowReports) }

export const createModels = ({ store, packages, registry, clock, log }: ModelsOptions): Models => {
  const nowText = (): string => new Date(clock()).toISOString()
  const words = (): readonly AgentWord[] =>
    registry
      .agents()
      .filter(({ known }) => known)
      .map(({ id, siteId, status }) => ({
        agentId: id,
        siteId,
        status,
        reported: registry.reported({ siteId, agentId: id }),
        desired: registry.desired(id),
      }))
  const list = () => modelViews(words(), packages)

  const noteReported = (agentId: string, { models }: Reported): void => {
    for (const { slot, id, last } of models)
      if (last)
        store.note({
          at: last.at,
          by: `agent ${agentId}`,
          action: last.what,
          agentId,
          model: slot ?? id,
          digest: last.digest,
          detail: last.reason,
        })
  }
  const noteShadow = (agentId: string, { reports }: ShadowReports): void => {
    for (const report of reports) store.saveReport({ agentId, receivedAt: nowText(), report })
  }
  const read = (payload: Uint8Array): unknown => {
    try {
      return JSON.parse(Buffer.from(payload).toString('utf8'))
    } catch {
      return undefined
    }
  }

  return {
    packages,
    list,
    shadow: id => ({ id, items: [...store.reports(id)] }),
    onMessage(topic, payload) {
      const address: AgentAddress = topic
      if (payload.byteLength === 0 || !registry.isKnown(address)) return
      if (topic.channel !== 'reported' && topic.channel !== 'shadow') return
      const content = read(payload)
      if (topic.channel === 'reported' && checks.reported.Check(content)) noteReported(address.agentId, content)
      else if (topic.channel === 'shadow' && checks.shadow.Check(content)) noteShadow(address.agentId, content)
      else log.debug({ agentId: address.agentId, channel: topic.channel }, 'A message about models does not fit')
    },
    async rollOut(id, body, by) {
      const view = list().find(model => model.id === id)
      const wanted = (view?.agents ?? []).filter(
        ({ agentId, cameras }) =>
          (body.agents === undefined || body.agents.includes(agentId)) &&
          (body.cameras === undefined || cameras.some(({ cameraId }) => body.cameras!.includes(cameraId))),
      )
      const result: RolloutView = { accepted: [], refused: [] }
      for (const agentId of body.agents ?? [])
        if (!wanted.some(one => one.agentId === agentId))
          result.refused.push({
            agentId,
            reason: `It runs no model "${id}" on the cameras named, or never reported one.`,
          })
      for (const one of wanted) {
        const wish = wishFor(one, body, { packages, at: nowText() })
        if (typeof wish === 'string') {
          result.refused.push({ agentId: one.agentId, reason: wish })
          continue
        }
        const others = (registry.desired(one.agentId)?.models ?? []).filter(
          known => known.id !== id && known.id !== one.modelId,
        )
        const { version } = await registry.setDesired(one.agentId, { models: [...others, ...(wish ? [wish] : [])] })
        result.accepted.push({ agentId: one.agentId, version })
        store.note({
          at: nowText(),
          by,
          action: `wish ${body.mode}`,
          agentId: one.agentId,
          model: id,
          digest: wish?.digest ?? null,
          detail: JSON.stringify({ cameras: wish?.cameras, cpuShare: wish?.cpuShare, guard: wish?.guard }),
        })
      }
      return result
    },
    async setDesired(agentId, change, by) {
      const desired = await registry.setDesired(agentId, change)
      const detail = `version ${desired.version}: ${Object.keys(change).join(', ')}`
      store.note({ at: nowText(), by, action: 'set desired', agentId, model: null, digest: null, detail })
      return desired
    },
    desired: registry.desired,
    audit: limit => store.audit(limit),
    noteUpload(sha256, by, detail) {
      store.note({ at: nowText(), by, action: 'upload', agentId: null, model: null, digest: sha256, detail })
      log.debug({ sha256, by }, 'A model package was stored')
    },
    async close() {
      await packages.close()
      store.close()
    },
  }
}
