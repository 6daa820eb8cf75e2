import { createHash } from 'node:crypto'
import type { TimelineDraft } from './engine/incident-record.js'

/**
 * Each entry's hash covers the one before it: taking out or changing an entry breaks every later hash.
 * The fields stand in this order for ever; a new field would be a new version of the chain.
 */
export const timelineHash = (previousHash: string, entry: TimelineDraft): string => {
  const canonical = JSON.stringify([
    entry.incidentId,
    entry.at,
    entry.by,
    entry.action,
    entry.from,
    entry.to,
    entry.note,
    entry.eventId,
  ])
  return createHash('sha256').update(previousHash).update('\n').update(canonical).digest('hex')
}
