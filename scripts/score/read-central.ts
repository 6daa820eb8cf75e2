import type { EventPage, Incident, IncidentEvent, IncidentPage, SeriesView } from '@watchpost/shared/api/incidents'
import type { Quality } from '@watchpost/shared/contracts/primitives'
import type { CentralClient } from '../simulated-city/central-client.js'
import type { LevelReading, SeenEvent, SeenIncident } from './run-records.js'

/** Second of a scene at a UTC time. */
export type SecondOf = (scene: string, utc: string) => number

/** All published levels of one camera. */
export const readLevels = async (
  { get }: CentralClient,
  scene: string,
  secondOf: SecondOf,
): Promise<readonly LevelReading[]> => {
  const series = await get<SeriesView>(`/api/v1/series?camera=${scene}&property=floodLevel&limit=20000`)
  return series.values.map(({ at, value, quality }) => ({
    t: secondOf(scene, at),
    cm: value,
    quality: quality as Quality,
  }))
}

const pageSize = 200

/** Every item of a list that comes in pages. */
const readAll = async <T>(
  read: (cursor: string) => Promise<{ items: T[]; nextCursor: string | null }>,
): Promise<T[]> => {
  const items: T[] = []
  let cursor: string | null = ''
  while (cursor !== null) {
    const page: { items: T[]; nextCursor: string | null } = await read(cursor === '' ? '' : `&cursor=${cursor}`)
    items.push(...page.items)
    cursor = page.nextCursor
  }
  return items
}

/** Events of all cameras, oldest first. */
export const readEvents = async ({ get }: CentralClient, secondOf: SecondOf): Promise<readonly SeenEvent[]> => {
  const events = await readAll<IncidentEvent>(cursor => get<EventPage>(`/api/v1/events?limit=${pageSize}${cursor}`))
  return events.map(event => seenEvent(event, secondOf)).toSorted((a, b) => a.t - b.t)
}

const seenEvent = (event: IncidentEvent, secondOf: SecondOf): SeenEvent => ({
  scene: event.cameraId,
  happeningId: event.happeningId,
  kind: event.kind,
  phase: event.phase as SeenEvent['phase'],
  t: secondOf(event.cameraId, event.phenomenonTime),
  receivedT: secondOf(event.cameraId, event.receivedAt),
  level: event.level,
  zone: event.zone,
  box: event.box,
  bearingDeg: event.bearingDeg,
})

/** Incidents that hold events; one that was merged into another is part of that. */
export const readIncidents = async ({ get }: CentralClient, secondOf: SecondOf): Promise<readonly SeenIncident[]> => {
  const page = await readAll(cursor => get<IncidentPage>(`/api/v1/incidents?limit=${pageSize}${cursor}`))
  const incidents = await Promise.all(
    page.filter(({ eventCount }) => eventCount > 0).map(({ id }) => get<Incident>(`/api/v1/incidents/${id}`)),
  )
  return incidents.map(incident => seenIncident(incident, secondOf)).toSorted((a, b) => a.openedT - b.openedT)
}

const seenIncident = (
  { id, kind, events, timeline, openedAt, cameraId }: Incident,
  secondOf: SecondOf,
): SeenIncident => {
  const raisedAt = timeline.find(({ action }) => action === 'opened')?.at ?? openedAt
  const happenings = new Map(events.map(event => [`${event.cameraId} ${event.happeningId}`, event]))
  return {
    id,
    kind,
    scene: cameraId,
    openedT: secondOf(cameraId, openedAt),
    raisedT: secondOf(cameraId, raisedAt),
    happenings: [...happenings.values()].map(event => ({ scene: event.cameraId, happeningId: event.happeningId })),
  }
}
