import type {
  AgentView,
  CameraView,
  CityView,
  Incident,
  IncidentPage,
  Ledger,
  Me,
  SeriesView,
  SignIn,
  Transition,
  VerdictBody,
} from '@watchpost/shared/api/incidents'
import type { LabelPage, PrecisionRow } from '@watchpost/shared/api/labels'
import type { ModelView, PackageView, RolloutBody, RolloutView, ShadowView } from '@watchpost/shared/api/models'
import type { Problem } from '@watchpost/shared/contracts/primitives'
import { hexOf } from './hex.js'

/** A reply of central that is not 2xx; `status` 0 when central could not be reached. */
export class ApiError extends Error {
  readonly status: number
  constructor(status: number, problem: Partial<Problem>) {
    super(problem.detail ?? problem.title ?? `HTTP ${status}`)
    this.name = 'ApiError'
    this.status = status
  }
}

interface Request {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly body?: unknown
  /** Sent as it is, in place of a JSON body. */
  readonly file?: Blob
  readonly headers?: Readonly<Record<string, string>>
}

const call = async <T>(path: string, { method = 'GET', body, file, headers = {} }: Request = {}): Promise<T> => {
  const reply = await fetch(`/api/v1${path}`, {
    method,
    credentials: 'same-origin',
    headers: { ...headers, ...(file || body !== undefined ? { 'content-type': typeOf(file) } : {}) },
    ...(file ? { body: file } : body === undefined ? {} : { body: JSON.stringify(body) }),
  }).catch((error: unknown) => {
    throw new ApiError(0, { detail: String(error) })
  })
  if (!reply.ok) throw new ApiError(reply.status, (await reply.json().catch(() => ({}))) as Partial<Problem>)
  return (reply.status === 204 ? undefined : await reply.json()) as T
}

const typeOf = (file: Blob | undefined): string => (file ? 'application/octet-stream' : 'application/json')

/** Not `crypto.randomUUID`: browsers give that to pages of HTTPS and of this machine only. */
const idempotencyKey = (): string => hexOf(crypto.getRandomValues(new Uint8Array(16)))

export interface IncidentFilter {
  readonly open: boolean
  readonly kind?: string
  readonly cursor?: string
}

const incidentQuery = ({ open, kind, cursor }: IncidentFilter): string => {
  const query = new URLSearchParams({ limit: '50' })
  if (open) query.set('open', 'true')
  if (kind) query.set('kind', kind)
  if (cursor) query.set('cursor', cursor)
  return query.toString()
}

export const api = {
  me: () => call<Me>('/me'),
  signIn: (body: SignIn) => call<Me>('/session', { method: 'POST', body }),
  signOut: () => call<void>('/session', { method: 'DELETE' }),
  city: () => call<CityView>('/city'),
  incidents: (filter: IncidentFilter) => call<IncidentPage>(`/incidents?${incidentQuery(filter)}`),
  incident: (id: string) => call<Incident>(`/incidents/${id}`),
  transition: (incident: Pick<Incident, 'id' | 'version'>, body: Transition) =>
    call<Incident>(`/incidents/${incident.id}/transitions`, {
      method: 'POST',
      body,
      headers: { 'if-match': `"${incident.version}"`, 'idempotency-key': idempotencyKey() },
    }),
  note: (id: string, note: string) =>
    call<Incident>(`/incidents/${id}/notes`, {
      method: 'POST',
      body: { note },
      headers: { 'idempotency-key': idempotencyKey() },
    }),
  verdict: (eventId: string, body: VerdictBody) =>
    call<unknown>(`/events/${eventId}/verdict`, { method: 'POST', body }),
  cameras: async () => (await call<{ items: CameraView[] }>('/cameras')).items,
  snapshot: (agentId: string, cameraId: string) =>
    call<unknown>(`/agents/${agentId}/commands`, { method: 'POST', body: { name: 'snapshot', cameraId } }),
  agents: async () => (await call<{ items: AgentView[] }>('/agents')).items,
  ledger: (agentId: string) => call<Ledger>(`/agents/${agentId}/ledger`),
  precision: async () => (await call<{ items: PrecisionRow[] }>('/models/precision')).items,
  labels: (query: Readonly<Record<string, string>>) => call<LabelPage>(`/labels?${new URLSearchParams(query)}`),
  models: async () => (await call<{ items: ModelView[] }>('/models')).items,
  shadow: async (model: string) => (await call<ShadowView>(`/models/${model}/shadow`)).items,
  rollOut: (model: string, body: RolloutBody) =>
    call<RolloutView>(`/models/${model}/rollout`, { method: 'POST', body }),
  packages: async () => (await call<{ items: PackageView[] }>('/models/packages')).items,
  uploadPackage: (sha256: string, file: Blob) =>
    call<PackageView>(`/models/packages/${sha256}`, { method: 'PUT', file }),
  series: (query: { cameraId: string; property: string; from: string; to: string; windowMs: number }) =>
    call<SeriesView>(
      `/series?${new URLSearchParams({
        camera: query.cameraId,
        property: query.property,
        from: query.from,
        to: query.to,
        windowMs: String(query.windowMs),
      })}`,
    ),
}

/** Address of an export of labels. */
export const labelExportUrl = (query: Readonly<Record<string, string>>): string =>
  `/api/v1/labels/export?${new URLSearchParams(query)}`

/** Address of an evidence picture. */
export const evidenceUrl = (sha256: string): string => `/api/v1/evidence/${sha256}`
