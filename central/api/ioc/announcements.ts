import type { AgentView, CameraView, IncidentSummary } from '@watchpost/shared/api/incidents'
import type { StoredEvidence } from '../../evidence/evidence-store.js'
import type { RegistryChange } from '../../registry/registry.js'
import type { HttpApp } from '../http-deps.js'
import type { CameraViews } from './camera-views.js'
import type { ChangeStream } from './change-stream.js'

type Announcements = Pick<HttpApp, 'incidentChanged' | 'registryChanged' | 'evidenceStored'>

interface Options {
  readonly stream: ChangeStream
  readonly views: CameraViews
  /** Milliseconds that only go forward. */
  readonly uptimeMs: () => number
  readonly log: { readonly warn: (fields: object, sentence: string) => void }
}

/** Health arrives every few seconds per camera; numbers that only wobble are sent no more often than this. */
const wobbleMs = 5000
const system = { name: 'system', role: 'admin', wardId: null } as const

/** Turns changes of other rooms into what browsers are told. */
export const createAnnouncements = ({ stream, views, uptimeMs, log }: Options): Announcements => {
  const told = new Map<string, { readonly what: string; readonly at: number }>()

  const isWorthTelling = (key: string, what: string): boolean => {
    const last = told.get(key)
    if (last && last.what === what && uptimeMs() - last.at < wobbleMs) return false
    told.set(key, { what, at: uptimeMs() })
    return true
  }

  const tellCamera = async (cameraId: string): Promise<void> => {
    const view = await views.one(cameraId, system)
    if (view && isWorthTelling(`camera ${cameraId}`, essenceOf(view))) stream.publish('camera', view.wardId, view)
  }

  const tell = (cameraId: string): void => {
    tellCamera(cameraId).catch((error: unknown) =>
      log.warn({ err: error, cameraId }, 'A camera’s change was not announced'),
    )
  }

  return {
    incidentChanged: (summary: IncidentSummary) => stream.publish('incident', summary.wardId, summary),
    registryChanged: ({ kind, id }: RegistryChange) => {
      if (kind === 'camera') return tell(id)
      const view = views.agents(system).find(agent => agent.id === id)
      if (view && isWorthTelling(`agent ${id}`, agentEssence(view))) stream.publish('agent', null, view)
    },
    evidenceStored: ({ cameraId }: StoredEvidence) => {
      if (cameraId !== null) tell(cameraId)
    },
  }
}

const essenceOf = ({ condition, conditionHint, snapshot, analytics }: CameraView): string =>
  JSON.stringify([condition, conditionHint, snapshot?.sha256, analytics])

const agentEssence = ({ status, epoch, software, configErrors, deadLetters, models }: AgentView): string =>
  JSON.stringify([status, epoch, software, configErrors, deadLetters, models])
