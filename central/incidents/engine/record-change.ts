import { settledStates } from '@watchpost/shared/api/incidents'
import { type Severity, severities } from '@watchpost/shared/contracts/primitives'
import type { Dated, EventFact, Happening, IncidentRecord, PictureRef } from './incident-record.js'
import { untouchedStates } from './transitions.js'

/** Enough for a list's picture and its fallbacks; the whole evidence stays with the events. */
export const maxPictures = 8

export const isSettled = (record: IncidentRecord): boolean => settledStates.includes(record.state)
export const isUntouched = (record: IncidentRecord): boolean =>
  untouchedStates.has(record.state) && record.assignee === null && record.verdicts.length === 0
export const isWorse = (a: Severity, b: Severity): boolean => severities.indexOf(a) > severities.indexOf(b)
const worse = (a: Severity, b: Severity): Severity => (isWorse(b, a) ? b : a)

export const happeningOf = (fact: EventFact): Happening => ({
  key: fact.happeningKey,
  siteId: fact.siteId,
  cameraId: fact.cameraId,
  location: fact.location,
  wardId: fact.wardId,
  hotspotId: fact.hotspotId,
  firstAt: fact.phenomenonAt,
  lastAt: fact.phenomenonAt,
  endedAt: fact.phase === 'ended' ? fact.phenomenonAt : null,
  bearings: fact.bearingDeg === null ? [] : [fact.bearingDeg],
})

/** The event's id names the incident: a step that is repeated after a conflict or on another replica opens the same one. */
export const openIncident = (fact: EventFact): IncidentRecord => ({
  id: fact.eventId,
  kind: fact.kind,
  state: 'new',
  severity: fact.severity,
  openedAt: fact.phenomenonAt,
  updatedAt: fact.receivedAt,
  endedAt: fact.phase === 'ended' ? fact.phenomenonAt : null,
  siteId: fact.siteId,
  cameraId: fact.cameraId,
  location: fact.location,
  wardId: fact.wardId,
  hotspotId: fact.hotspotId,
  happenings: [happeningOf(fact)],
  level: { value: fact.level, at: fact.phenomenonAt, eventId: fact.eventId },
  measure: fact.measure && { value: fact.measure, at: fact.phenomenonAt, eventId: fact.eventId },
  eventCount: 1,
  pictures: newestPictures(fact.pictures),
  verdicts: [],
  assignee: null,
  resolutionProposed: fact.phase === 'ended',
  duplicateOf: null,
  settledAt: null,
  version: 0,
})

/** The incident as if `other` had been part of it from the start; neither state nor people's work is touched. */
export const join = (record: IncidentRecord, other: IncidentRecord): IncidentRecord => {
  const happenings = other.happenings.reduce(withHappening, record.happenings)
  const leader = happenings.reduce((a, b) => (precedes(b, a) ? b : a))
  const ended = happenings.every(happening => happening.endedAt !== null)
  return {
    ...record,
    severity: worse(record.severity, other.severity),
    happenings,
    openedAt: leader.firstAt,
    updatedAt: Math.max(record.updatedAt, other.updatedAt),
    endedAt: ended ? Math.max(...happenings.map(happening => happening.endedAt!)) : null,
    siteId: leader.siteId,
    cameraId: leader.cameraId,
    location: leader.location,
    hotspotId: leader.hotspotId,
    // Once people work on it, only people send it to another ward.
    wardId: isUntouched(record) ? leader.wardId : record.wardId,
    level: newest(record.level, other.level)!,
    measure: newest(record.measure, other.measure),
    eventCount: record.eventCount + other.eventCount,
    pictures: newestPictures([...record.pictures, ...other.pictures]),
    verdicts: [...record.verdicts, ...other.verdicts],
    resolutionProposed: ended && !isSettled(record),
  }
}

const precedes = (a: Happening, b: Happening): boolean =>
  a.firstAt !== b.firstAt ? a.firstAt < b.firstAt : a.key < b.key

const withHappening = (all: readonly Happening[], added: Happening): readonly Happening[] => {
  const known = all.find(happening => happening.key === added.key)
  if (!known) return [...all, added]
  const grown: Happening = {
    ...known,
    firstAt: Math.min(known.firstAt, added.firstAt),
    lastAt: Math.max(known.lastAt, added.lastAt),
    endedAt: latest(known.endedAt, added.endedAt),
    bearings: [...new Set([...(known.bearings ?? []), ...(added.bearings ?? [])])].sort((a, b) => a - b),
  }
  return all.map(happening => (happening === known ? grown : happening))
}

const latest = (a: number | null, b: number | null): number | null => (a === null ? b : b === null ? a : Math.max(a, b))

const newest = <T>(a: Dated<T> | null, b: Dated<T> | null): Dated<T> | null => {
  if (a === null || b === null) return a ?? b
  if (a.at !== b.at) return a.at > b.at ? a : b
  return a.eventId > b.eventId ? a : b
}

const newestPictures = (pictures: readonly PictureRef[]): readonly PictureRef[] => {
  const bySha = new Map(pictures.map(picture => [picture.sha256, picture]))
  return [...bySha.values()]
    .sort((a, b) => b.takenAt - a.takenAt || (a.sha256 < b.sha256 ? -1 : 1))
    .slice(0, maxPictures)
}
