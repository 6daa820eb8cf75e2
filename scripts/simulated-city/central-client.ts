import type { CameraView, Incident, IncidentPage } from '@watchpost/shared/api/incidents'

/** The few calls the demo makes to central's IOC API, as a person's browser would make them. */
export interface CentralClient {
  cameras(): Promise<readonly CameraView[]>
  incidents(): Promise<readonly Incident[]>
  /** Any other GET, by path. Rejects unless the answer is 2xx. */
  get<T>(path: string): Promise<T>
}

export const signIn = async (baseUrl: string, name: string, password: string): Promise<CentralClient> => {
  const reply = await fetch(`${baseUrl}/api/v1/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name, password }),
  })
  if (!reply.ok) throw new Error(`Sign-in of ${name} was refused: ${reply.status} ${await reply.text()}`)
  const cookie = reply.headers
    .getSetCookie()
    .map(line => line.split(';')[0])
    .join('; ')

  const get = async <T>(path: string): Promise<T> => {
    const answer = await fetch(`${baseUrl}${path}`, { headers: { cookie } })
    if (!answer.ok) throw new Error(`GET ${path}: ${answer.status}`)
    return (await answer.json()) as T
  }

  return {
    get,
    cameras: async () => (await get<{ items: CameraView[] }>('/api/v1/cameras')).items,
    incidents: async () => {
      const page = await get<IncidentPage>('/api/v1/incidents?limit=50')
      return Promise.all(page.items.map(({ id }) => get<Incident>(`/api/v1/incidents/${id}`)))
    },
  }
}

/** Rejects when the address does not answer 200 in time. */
export const waitUntilReady = async (url: string, timeoutMs: number): Promise<void> => {
  const until = Date.now() + timeoutMs
  for (;;) {
    const ready = await fetch(url).then(
      reply => reply.ok,
      () => false,
    )
    if (ready) return
    if (Date.now() > until) throw new Error(`${url} did not answer within ${timeoutMs / 1000} s`)
    await new Promise(resolve => setTimeout(resolve, 200))
  }
}
